# SPDX-License-Identifier: Apache-2.0
"""Writes `what-is-recorded.md`, and a part of `how-it-works.md`, from the names and tables of the package itself.

    python docs/reference.py            write them
    python docs/reference.py --check    exit status 1 when a page is not what it would be written as

An attribute without a description, or a description without its attribute, is an error: the page has everything or
is not written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import readings

from after200 import names
from after200.names import errors
from after200.names.prometheus import metric_names

PAGE = Path(__file__).with_name("what-is-recorded.md")


OWN_TYPES = {
    errors.CLIENT_TIMEOUT: "a timeout on our side",
    errors.CONNECTION: "any other failure of the connection",
    errors.TRUNCATED: "the stream ended without its end event",
    errors.MALFORMED: "bytes that cannot be decoded, or that are not an answer",
}
WHERE = {"span": "span", "sdk_span": "SDK's span", "log": "log"}

INTRO = """\
# What is recorded

One call of the application (`messages.create(...)`, `messages.stream(...)`), with all its automatic retries, is one
span and one count. It ends with exactly one outcome. Prompts, completions, tool arguments and header values are never
recorded.

This page is written from the code by `python docs/reference.py`; a test holds it to what is really recorded.
An attribute without a value is absent: no attribute has an empty value.
"""
SPANS = """\
The span is named `{gen_ai.operation.name} {gen_ai.request.model}` and has the kind CLIENT. On errors its status is
ERROR, with the provider's message as description; otherwise the status is unset. Where the SDK makes a span of its own
(1.14 and later), that one is completed instead: the column *on* says which attributes it gets. See
[the setting `spans`](settings.md).
"""
LOGS = f"""\
A call that failed gives one log record, when a logger provider is set: event name `{names.EXCEPTION_EVENT}`,
severity WARN, in the context of the call's span, with the attributes marked *log* above.
"""
BORN = """\
The first call of each provider and model also adds 0 to the series of the failures that alerts watch. Without that,
`increase()` would miss the first failure, because it cannot see a counter that begins at 1.
"""
TYPES = f"""\
Any other type that the provider sends is recorded as it is (at most 64 letters, digits, `_` and `.`, at most 50
different ones in a process), without a status. An HTTP error whose body names no type has its status as its type.
Everything else is `{names.OTHER}`.
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
        table(("attribute", "type", "on", "what it says"), map(attribute_row, names.ATTRIBUTES.items())),
        "## Logs\n",
        LOGS,
        "## Outcomes\n",
        table(
            (code(names.OUTCOME), "meaning", "is an error"),
            (
                (code(name), words, "yes" if name in names.ERROR_OUTCOMES else "no")
                for name, words in names.OUTCOMES.items()
            ),
        ),
        "## Phases\n",
        table((code(names.PHASE), "meaning"), ((code(name), words) for name, words in names.PHASES.items())),
        "## Failures\n",
        table(
            (code(names.FAILURE), "meaning", "worth a retry"),
            (
                (code(name), words, "yes" if name in errors.RETRYABLE else "no")
                for name, words in names.FAILURES.items()
            ),
        ),
        "## Answers\n",
        "What a completed call of operation `chat` received.\n",
        table((code(names.ANSWER), "meaning"), ((code(name), words) for name, words in names.ANSWERS.items())),
        "## Token details\n",
        "The token types add up to what is billed; a detail splits a type where the provider does.\n",
        table(
            (code(names.TOKEN_DETAIL), "meaning"), ((code(name), words) for name, words in names.TOKEN_DETAILS.items())
        ),
        "## Rate limits\n",
        "From the headers of every response of the Claude API; Bedrock and Vertex send none.\n",
        table(
            (code(names.RATE_LIMIT_KIND), "from the headers"),
            ((code(name), words) for name, words in names.RATE_LIMIT_KINDS.items()),
        ),
        "## Error types\n",
        "The provider's own name for the error, and the status that it documents for it: that of "
        "`http.response.status_code` when the error came after the 200.\n",
        table((code(names.ERROR_TYPE), "status", code(names.FAILURE)), map(type_row, errors.ERROR_TYPES.items())),
        TYPES,
    ]
    return "\n".join(sections)


def check_complete() -> None:
    """Raise `SystemExit` that names the attributes without a description, or the descriptions without an attribute."""
    not_attributes = {names.SCOPE, names.SCHEMA_URL, names.EXCEPTION_EVENT, names.OTHER, *names.PROVIDERS}
    constants = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    there, described = constants - not_attributes, set(names.ATTRIBUTES)
    if there != described:
        sys.exit(f"attributes: not described {sorted(there - described)}, not there {sorted(described - there)}")


def metric_row(metric: names.Metric) -> tuple[str, ...]:
    """One line of the table of metrics."""
    kind = metric.kind.replace("_down_", "-down-")
    shown = metric_names(metric)
    in_prometheus = code(shown[0].removesuffix("_bucket")) + (
        " (`_bucket`, `_count`, `_sum`)" if len(shown) > 1 else ""
    )
    return code(metric.name), f"{kind}, `{metric.unit}`", in_prometheus, metric.description


def attribute_row(item: tuple[str, names.Attribute]) -> tuple[str, ...]:
    """One line of the table of attributes."""
    name, attribute = item
    on = [WHERE[place] for place in attribute.on]
    if any(name in metric.attributes for metric in names.METRICS):
        on.append("metrics")
    return code(name), attribute.type, ", ".join(on), attribute.description


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
    """Write the pages, or check them."""
    if arguments not in ([], ["--check"]):
        print("usage: python docs/reference.py [--check]", file=sys.stderr)
        return 2
    stale = {path: text for path, text in pages().items() if path.read_text(encoding="utf-8") != text}
    for path, text in stale.items():
        if arguments:
            print(f"{path.name} is not what the code says: python docs/reference.py", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if arguments and stale else 0


def pages() -> dict[Path, str]:
    """Returns every page that is written from the code, with what it should be."""
    return {PAGE: page(), readings.PAGE: readings.page()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
