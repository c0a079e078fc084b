# SPDX-License-Identifier: Apache-2.0
"""Faults that only Amazon Bedrock has: exception and error frames, error payloads in chunks, frames that are not sound.

A request that does not stream gets the exception as an HTTP error, its name in `x-amzn-errortype` as AWS sends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..eventstream import CHUNK_HEADERS, chunk_payload, error_headers, exception_headers
from ..scenarios import BROKEN_BODY, CLOSED, COMPLETED, MID_STREAM, WHOLE, Scenario, scenario
from ..steps import Answer, End, Error, Event, Frame, Play, Status
from ..wires import encode_json
from .error_types import BEDROCK_EXCEPTIONS
from .http_errors import SOON

TITLE = "Amazon Bedrock"
_bedrock = partial(scenario, only="bedrock")
_PLACES: dict[str, tuple[Play, str]] = {
    "first": ((Status(),), "as the first frame"),
    "mid": (MID_STREAM, "after some content"),
}
_THROTTLED = "throttlingException"
_QUOTA = "Too many tokens, please wait before trying again."
_RATE_LIMIT = Event(
    "rate_limit_error",
    {"type": "rate_limit_error", "message": "Number of requests exceeded"},
    failure="rate_limit_error",
)
_WITHOUT_TYPE = Event("untyped", {"message": "Too many connections"})
_DELTA = encode_json({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " and"}})


def _exception(name: str, **fields: object) -> Frame:
    payload = {"message": BEDROCK_EXCEPTIONS.get(name, (0, "Something unforeseen"))[1], **fields}
    return Frame(exception_headers(name), encode_json(payload), failure=name)


def _http(name: str, message: str = "", status: int = 0) -> Answer:
    """An HTTP error of AWS: the name is in the header, followed by a colon and a URL that means nothing."""
    documented_status, documented_message = BEDROCK_EXCEPTIONS.get(name, (500, "Something unforeseen"))
    error_type = name[0].upper() + name[1:]
    header = f"{error_type}:http://internal.amazon.com/coral/com.amazon.bedrock/"
    body = {"message": message or documented_message}
    return Answer(status or documented_status, body, {**SOON, "x-amzn-errortype": header}, failure=error_type)


def _frames(name: str, stem: str = "", **fields: object) -> Iterator[Scenario]:
    frame = _exception(name, **fields)
    extra = "".join(f", {key} {value}" for key, value in fields.items() if isinstance(value, int))
    for place, (before, words) in _PLACES.items():
        description = f"a {name} frame {words}{extra}"
        yield _bedrock(f"bedrock_{stem or name}_{place}", description, (*before, frame, End()), (_http(name),))


def _exceptions() -> Iterator[Scenario]:
    for name in BEDROCK_EXCEPTIONS:
        if name != "modelStreamErrorException":
            yield from _frames(name)
    stream_error = "modelStreamErrorException"
    yield from _frames(stream_error, originalStatusCode=500, originalMessage="Internal server error")
    yield from _frames(
        stream_error, "modelStreamErrorException_overloaded", originalStatusCode=529, originalMessage="Overloaded"
    )


SCENARIOS: tuple[Scenario, ...] = (
    *_exceptions(),
    _bedrock(
        "bedrock_unknown_exception",
        "an exception frame of a type that no service model has, after some content",
        (*MID_STREAM, _exception("quantumFluxException"), End()),
        (_http("quantumFluxException"),),
    ),
    _bedrock(
        "bedrock_error_frame",
        "a frame with :message-type error and :error-code throttlingException, after some content",
        (*MID_STREAM, Frame(error_headers(_THROTTLED, _QUOTA), b"", failure=_THROTTLED), End()),
        (_http(_THROTTLED),),
    ),
    _bedrock(
        "bedrock_chunk_error_first",
        "an overloaded_error inside an ordinary chunk, the first one",
        (Status(), Error("overloaded_error", "Overloaded"), End()),
        (_http("serviceUnavailableException"),),
    ),
    _bedrock(
        "bedrock_chunk_error",
        "an overloaded_error inside an ordinary chunk, after some content",
        (*MID_STREAM, Error("overloaded_error", "Overloaded"), End()),
        (_http("serviceUnavailableException"),),
    ),
    _bedrock(
        "bedrock_chunk_rate_limit_first",
        "a chunk that is nothing but a rate_limit_error, the first one",
        (Status(), _RATE_LIMIT, End()),
        (_http(_THROTTLED),),
    ),
    _bedrock(
        "bedrock_chunk_rate_limit_mid",
        "a chunk that is nothing but a rate_limit_error, after some content",
        (*MID_STREAM, _RATE_LIMIT, End()),
        (_http(_THROTTLED),),
    ),
    _bedrock(
        "bedrock_chunk_without_type",
        "a chunk that names no type after some content, then the end",
        (*MID_STREAM, _WITHOUT_TYPE, End()),
        (_http("internalServerException"),),
    ),
    _bedrock(
        "bedrock_chunk_without_type_then_completed",
        "a chunk that names no type after some content, then message_stop all the same",
        (*MID_STREAM, _WITHOUT_TYPE, *COMPLETED[len(MID_STREAM) :]),
        WHOLE,
    ),
    _bedrock(
        "bedrock_bad_crc",
        "a frame whose CRC is wrong, after some content",
        (*MID_STREAM, Frame(CHUNK_HEADERS, chunk_payload(_DELTA), broken="crc"), End()),
        BROKEN_BODY,
    ),
    _bedrock(
        "bedrock_truncated_frame",
        "half a frame after some content, then the body ends",
        (*MID_STREAM, Frame(CHUNK_HEADERS, chunk_payload(_DELTA), broken="short"), End()),
        BROKEN_BODY,
    ),
    _bedrock("bedrock_end_without_message_stop", "the body ends after some content", (*MID_STREAM, End()), BROKEN_BODY),
    _bedrock("bedrock_end_after_message_delta", "the body ends after message_delta", (*CLOSED, End()), BROKEN_BODY),
    *(
        _bedrock(
            f"bedrock_http_{status}{suffix}", f"HTTP {status}, {name} in x-amzn-errortype", (_http(name, message),)
        )
        for status, suffix, name, message in (
            (
                400,
                "_validation",
                "validationException",
                "Invocation of model ID with on-demand throughput isn't supported.",
            ),
            (400, "_quota", "serviceQuotaExceededException", ""),
            (403, "", "accessDeniedException", ""),
            (404, "", "resourceNotFoundException", ""),
            (408, "", "modelTimeoutException", ""),
            (424, "", "modelErrorException", ""),
            (429, "", _THROTTLED, _QUOTA),
            (429, "_model_not_ready", "modelNotReadyException", ""),
            (500, "", "internalServerException", ""),
            (503, "", "serviceUnavailableException", ""),
        )
    ),
)
