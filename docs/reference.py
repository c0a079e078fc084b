# SPDX-License-Identifier: Apache-2.0
"""Writes `what-is-recorded.md` from the names and tables that the package itself uses.

    python docs/reference.py            write it
    python docs/reference.py --check    exit status 1 when the page is not what it would be written as

A name without a description here, or a description without its name, is an error: the page has everything or is not
written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from after200.call import statuses
from after200.monitoring.naming import metric_names
from after200.signals import names

PAGE = Path(__file__).with_name("what-is-recorded.md")


class Row(NamedTuple):
    """What the page says of an attribute."""

    type: str
    description: str
    on: str = "span"
    """`span`: our own; `both`: the SDK's own span too; `log`: a log record. Which metrics have it stands in `names`."""


STATUS = "integer"
ATTRIBUTES: dict[str, Row] = {
    names.OPERATION_NAME: Row(
        "string", "`chat`; `text_completion`, `batch_results`, `invoke_agent` for what else streams"
    ),
    names.PROVIDER_NAME: Row(
        "string", "`anthropic`, `aws.bedrock` for Bedrock clients, `gcp.vertex_ai` for Vertex clients"
    ),
    names.REQUEST_MODEL: Row("string", "the model asked for; on metrics at most 100 per process, then `_OTHER`"),
    names.REQUEST_STREAM: Row("boolean", "whether the call streams; on a span only when it does"),
    names.SERVER_ADDRESS: Row("string", "the host that the client sends to"),
    names.SERVER_PORT: Row("integer", "its port"),
    names.REQUEST_MAX_TOKENS: Row("integer", "as asked for"),
    names.REQUEST_TEMPERATURE: Row("double", "as asked for"),
    names.REQUEST_TOP_P: Row("double", "as asked for"),
    names.REQUEST_TOP_K: Row("integer", "as asked for"),
    names.REQUEST_STOP_SEQUENCES: Row("string[]", "as asked for"),
    names.RESPONSE_ID: Row("string", "the message's id"),
    names.RESPONSE_MODEL: Row("string", "the model that answered"),
    names.RESPONSE_FINISH_REASONS: Row("string[]", "the stop reason, as the provider names it"),
    names.RESPONSE_TIME_TO_FIRST_CHUNK: Row("double, s", "from sending the request to the first `content_block_delta`"),
    names.USAGE_INPUT_TOKENS: Row("integer", "all input: what was sent, read from the cache and written to it"),
    names.USAGE_OUTPUT_TOKENS: Row("integer", "as last reported; absent when the stream broke before it was"),
    names.USAGE_CACHE_READ_INPUT_TOKENS: Row("integer", "of the input, what came from the cache"),
    names.USAGE_CACHE_WRITE_INPUT_TOKENS: Row("integer", "of the input, what was written to the cache"),
    names.ANTHROPIC_REQUEST_ID: Row("string", "the `request-id` to give to support", "span, log"),
    names.HTTP_RESEND_COUNT: Row("integer", "how many attempts the SDK made beyond the first; only above 0"),
    names.HTTP_STATUS: Row(
        STATUS,
        "of a failure the status that the provider documents for it, absent where it documents none; else the wire's",
        "both, log",
    ),
    names.WIRE_STATUS: Row(STATUS, "what stood on the HTTP status line; absent without a response", "both, log"),
    names.ERROR_TYPE: Row(
        "string", "why it failed, see [error types](#error-types); absent when it did not", "both, log"
    ),
    names.OUTCOME: Row("string", "how it ended, see [outcomes](#outcomes)", "both"),
    names.PHASE: Row("string", "how far it had come when it failed, see [phases](#phases)", "both"),
    names.FAILURE: Row(
        "string", "one name for a failure, whatever the provider, see [failures](#failures)", "both, log"
    ),
    names.RETRYABLE: Row("boolean", "whether a failure is worth a retry", "both"),
    names.STREAM_CHUNKS: Row("integer", "how many `content_block_delta` events came; streams only", "both"),
    names.STREAM_LONGEST_GAP: Row("double, s", "the longest time between two chunks; streams only", "both"),
    names.BEDROCK_ORIGINAL_STATUS: Row(STATUS, "`originalStatusCode` of a Bedrock error frame", "both"),
    names.EXCEPTION_TYPE: Row("string", "the class of the exception that the application got", "log"),
    names.EXCEPTION_MESSAGE: Row("string", "the provider's message, one line, at most 1024 characters", "log"),
    names.TOKEN_TYPE: Row("string", "`input`, `output`, `cache_read`, `cache_write`; on `gen_ai.*` the first two", ""),
}

OUTCOMES = {
    "completed": "the provider said it is finished: `message_stop`, or a whole body for a call that does not stream",
    "failed": "the provider said it failed, the connection failed, or the body could not be decoded",
    "truncated": "the stream ended without its end event, and nobody raised anything",
    "closed": "the application closed or left the stream early",
    "cancelled": "the task that read the stream was cancelled while it read",
    "abandoned": "the stream was dropped without being closed or read to its end",
}
ERRORS = ("failed", "truncated")
PHASES = {
    "request": "no response, or an HTTP error status",
    "first_chunk": "after the 200, before the first content",
    "mid_stream": "after the first content",
}
FAILURES = {
    "overloaded": "the provider has no capacity: 529, 503, `overloaded_error` and its like",
    "rate_limited": "a rate limit or a quota is used up: 429",
    "timeout": "the provider, or our own client, waited too long: 408, 504",
    "server_error": "any other fault of the provider's: 5xx",
    "connection": "the connection failed",
    "truncated": "the stream ended without its end event",
    "malformed": "what came cannot be decoded",
    "denied": "not allowed: 401, 402, 403",
    "invalid_request": "the request is wrong: any other 4xx",
    "other": "anything else",
}
OWN_TYPES = {
    statuses.CLIENT_TIMEOUT: "a timeout on our side",
    statuses.CONNECTION: "any other failure of the connection",
    statuses.TRUNCATED: "the stream ended without its end event",
    statuses.MALFORMED: "bad JSON, bad UTF-8, a bad frame",
}

INTRO = """\
# What is recorded

One call of the application (`messages.create(...)`, `messages.stream(...)`, all automatic retries included) is one
span and one count, and ends with exactly one outcome. Prompts, completions, tool arguments and header values are never
recorded.

This page is written from the code by `python docs/reference.py`; a test holds it to what is really recorded.
What is absent is absent: no attribute has an empty value.
"""
SPANS = """\
The span is named `{gen_ai.operation.name} {gen_ai.request.model}`, of kind CLIENT, with status ERROR and the
provider's message on errors, and unset otherwise. Where the SDK makes a span of its own (1.14 and later), that one is
completed instead: the column *on* says which attributes it gets. See [the setting `spans`](settings.md).
"""
LOGS = f"""\
On an error, when a logger provider is set, one log record: event name `{names.EXCEPTION_EVENT}`, severity WARN,
in the context of the call's span, with the attributes marked *log* above.
"""
BORN = """\
Series of failures that alerts watch are born at zero with the first call of their kind: `increase()` cannot see a
counter that is born at one.
"""
TYPES = f"""\
Any other type that the provider sends is recorded as it is (at most 64 letters, digits, `_` and `.`, at most 50
different ones in a process), without a status; an HTTP error whose body names no type has its status as type;
`{names.OTHER}` is for everything else.
"""


def page() -> str:
    """The whole page."""
    check_complete()
    sections = [
        INTRO,
        "## Metrics\n",
        table(("metric", "kind, unit", "in Prometheus", "what it says"), map(metric_row, names.METRICS)),
        BORN,
        "| metric | attributes |\n|---|---|",
        *(f"| `{metric.name}` | {', '.join(map(code, metric.attributes))} |" for metric in names.METRICS),
        "\n`gen_ai.client.operation.time_per_output_chunk` is off unless [`chunk_timing`](settings.md) is on.\n",
        "## Spans\n",
        SPANS,
        "## Attributes\n",
        table(("attribute", "type", "on", "what it says"), map(attribute_row, ATTRIBUTES.items())),
        "## Logs\n",
        LOGS,
        "## Outcomes\n",
        table(
            (code(names.OUTCOME), "meaning", "is an error"),
            ((code(name), words, "yes" if name in ERRORS else "no") for name, words in OUTCOMES.items()),
        ),
        "## Phases\n",
        table((code(names.PHASE), "meaning"), ((code(name), words) for name, words in PHASES.items())),
        "## Failures\n",
        table(
            (code(names.FAILURE), "meaning", "worth a retry"),
            ((code(name), words, "yes" if name in statuses.RETRYABLE else "no") for name, words in FAILURES.items()),
        ),
        "## Error types\n",
        "The provider's own name for the error, and the status that it documents for it: that of "
        "`http.response.status_code` when the error came after the 200.\n",
        table((code(names.ERROR_TYPE), "status", code(names.FAILURE)), map(type_row, statuses.ERROR_TYPES.items())),
        TYPES,
    ]
    return "\n".join(sections)


def check_complete() -> None:
    """Raise `SystemExit` that names what the tables above lack, or have too many of."""
    not_attributes = {names.SCOPE, names.EXCEPTION_EVENT, names.OTHER}
    constants = {value for value in vars(names).values() if isinstance(value, str) and value in _public()}
    pairs: Sequence[tuple[str, set[str], set[str]]] = (
        ("attributes", constants - not_attributes, set(ATTRIBUTES)),
        ("outcomes", set(names.OUTCOMES), set(OUTCOMES)),
        ("phases", set(names.PHASES), set(PHASES)),
        ("failures", set(statuses.FAILURES), set(FAILURES)),
    )
    for what, there, described in pairs:
        if there != described:
            sys.exit(f"{what}: not described {sorted(there - described)}, not there {sorted(described - there)}")


def _public() -> set[str]:
    return {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}


def metric_row(metric: names.Metric) -> tuple[str, ...]:
    """One line of the table of metrics."""
    kind = metric.kind.replace("_down_", "-down-")
    shown = metric_names(metric)
    in_prometheus = code(shown[0].removesuffix("_bucket")) + (
        " (`_bucket`, `_count`, `_sum`)" if len(shown) > 1 else ""
    )
    return code(metric.name), f"{kind}, `{metric.unit}`", in_prometheus, metric.description


def attribute_row(item: tuple[str, Row]) -> tuple[str, ...]:
    """One line of the table of attributes."""
    name, row = item
    on = row.on.replace("both", "span, SDK's span").split(", ") if row.on else []
    if any(name in metric.attributes for metric in names.METRICS):
        on.append("metrics")
    return code(name), row.type, ", ".join(on), row.description


def type_row(item: tuple[str, tuple[int | None, str]]) -> tuple[str, ...]:
    """One line of the table of error types."""
    name, (status, failure) = item
    words = f"{code(name)}: {OWN_TYPES[name]}" if name in OWN_TYPES else code(name)
    return words, str(status or "none"), code(failure)


def code(text: str) -> str:
    """A name, set as code."""
    return f"`{text}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(arguments: list[str]) -> int:
    """Write the page, or check it."""
    if arguments not in ([], ["--check"]):
        print("usage: python docs/reference.py [--check]", file=sys.stderr)
        return 2
    text = page()
    if arguments:
        if PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE.name} is not what the code says: python docs/reference.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
