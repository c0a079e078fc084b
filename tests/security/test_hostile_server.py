# SPDX-License-Identifier: Apache-2.0
"""A server that sends too much, too many, or what is meant to break whoever reads the telemetry."""

from __future__ import annotations

import contextlib
import json
import logging
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from after200.call.limits import MAX_NAME, MAX_TEXT
from after200.signals import bounds, metrics

from ..support.in_memory.answers import Nothing
from ..support.in_memory.application import REQUEST
from ..support.in_memory.bodies import CLOSING, DELTA, OPENING, START, STOP, chunk, error, event
from ..support.in_memory.transport import Answer, Transport, client
from ..support.telemetry import Telemetry, described

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MEGABYTE = 1024 * 1024


HEAD = b"".join(map(event, (START, OPENING, chunk("word"))))
TAIL = b"".join(map(event, (CLOSING, DELTA, STOP)))


def answered(telemetry: Telemetry, body: bytes, *, raw: bool = False, **more: Any) -> dict[str, Any]:
    """The span of a call that is answered with `body`, by a server that may send `headers` and a `status`."""
    transport = Transport(Answer((body,), **more), Nothing())
    messages = client("Anthropic", transport, asynchronous=False).messages
    # That the SDK raises is another matter.
    with telemetry.instrumented(), contextlib.suppress(Exception):
        if raw:
            with messages.with_streaming_response.create(**REQUEST, stream=True) as response:
                list(response.iter_bytes())
        else:
            list(messages.create(**REQUEST, stream=True))
    (span,) = telemetry.spans
    return described(span)


def exported(telemetry: Telemetry) -> bytes:
    """All that was recorded, as OTLP sends it: what cannot be encoded would take the rest of its batch along."""
    parts = [encode_spans(telemetry.spans), encode_logs(telemetry.finished_logs())]
    if (data := telemetry.metrics_data()) is not None:
        parts.append(encode_metrics(data))
    return b"".join(part.SerializeToString() for part in parts)


@pytest.fixture(autouse=True)
def names_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent here must not use up the names that the process admits, for the tests that come after."""
    fresh = bounds.Bounds()
    for module in (bounds, metrics):
        monkeypatch.setattr(module, "BOUNDS", fresh)


@pytest.fixture(autouse=True)
def no_fault_of_ours(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [] == [record for record in caplog.records if record.name.startswith(("after200", "opentelemetry"))]


# --- too much ---


@pytest.mark.parametrize("raw", [False, True], ids=["parsed", "raw"])
def test_an_error_message_of_ten_megabytes_is_cut_to_a_sane_length(telemetry: Telemetry, raw: bool) -> None:
    body = HEAD + event(error("overloaded_error", "x" * 10 * MEGABYTE))
    span = answered(telemetry, body, raw=raw)
    # A line as long as that is not kept to be looked into, where the application reads the bytes for itself.
    kind, status = ("_OTHER", None) if raw else ("overloaded_error", 529)
    assert ("failed", kind, status) == (
        span["after200.outcome"],
        span["error.type"],
        span.get("http.response.status_code"),
    )
    assert len(span["description"] or "") <= MAX_TEXT
    assert len(exported(telemetry)) < 16 * 1024


def test_an_http_error_with_a_body_of_ten_megabytes_is_cut_to_a_sane_length(telemetry: Telemetry) -> None:
    body = json.dumps(error("api_error", "x" * 10 * MEGABYTE)).encode()
    span = answered(telemetry, body, status=500, headers={"content-type": "application/json"})
    assert ("failed", 500, "api_error") == (
        span["after200.outcome"],
        span["http.response.status_code"],
        span["error.type"],
    )
    assert len(exported(telemetry)) < 16 * 1024


@pytest.mark.parametrize("raw", [False, True], ids=["parsed", "raw"])
@pytest.mark.parametrize("ending", ["", "_error", "Exception"])
def test_an_event_name_of_a_megabyte_is_not_kept(telemetry: Telemetry, ending: str, raw: bool) -> None:
    body = HEAD + event({"type": "n" * MEGABYTE}, "e" * MEGABYTE + ending) + TAIL
    span = answered(telemetry, body, raw=raw)
    assert span.get("error.type") in (None, "_OTHER")
    assert len(exported(telemetry)) < 16 * 1024


def test_names_and_ids_of_a_megabyte_are_cut(telemetry: Telemetry) -> None:
    long = "n" * MEGABYTE
    start = {**START, "message": {**START["message"], "id": long, "model": long}}
    delta = {**DELTA, "delta": {"stop_reason": long, "stop_sequence": long}}
    body = b"".join(map(event, (start, OPENING, chunk("word"), CLOSING, delta, STOP)))
    span = answered(telemetry, body, headers={"content-type": "text/event-stream", "request-id": "r" * 60_000})
    for name in ("gen_ai.response.id", "gen_ai.response.model", "anthropic.request.id"):
        assert MAX_NAME == len(span[name])
    assert MAX_NAME == len(span["gen_ai.response.finish_reasons"][0])
    assert len(exported(telemetry)) < 16 * 1024


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/vnd.amazon.eventstream", "text/html"])
def test_a_raw_body_without_end_is_not_collected_in_memory(telemetry: Telemetry, content_type: str) -> None:
    piece = b"x" * 65536
    transport = Transport(Answer((piece,) * 512, headers={"content-type": content_type}), Nothing())
    messages = client("Anthropic", transport, asynchronous=False).messages
    with telemetry.instrumented(), messages.with_streaming_response.create(**REQUEST, stream=True) as response:
        pieces = response.iter_bytes()
        next(pieces)
        tracemalloc.start()
        try:
            for _piece in pieces:
                pass
            assert tracemalloc.get_traced_memory()[1] < 4 * MEGABYTE  # of 32
        finally:
            tracemalloc.stop()


# --- too many ---


def test_of_a_million_error_types_all_but_a_few_are_other() -> None:
    kinds = {bounds.BOUNDS.error_type(f"type_{number}_error") for number in range(1_000_000)}
    assert len(kinds) <= bounds.MAX_UNDOCUMENTED + 1
    assert "_OTHER" in kinds


# --- too clever ---

CLEVER = {
    "a line of a log of its own": "fine\n2026-01-01 00:00:00 CRITICAL root: all is lost",
    "the same with a return": "fine\r\nCRITICAL all is lost",
    "line separators of Unicode": "fine\u2028CRITICAL\u2029all\x85is lost",
    "escapes of a terminal": "\x1b[2J\x1b]0;owned\x07fine",
    "a null byte": "fi\0ne",
    "half a character": "fine \ud83d",
    "text from right to left": "fine \u202eenif",
    "a byte order mark": "\ufefffine",
    "a format of logging": "%s %(password)s {0} ${jndi:ldap://127.0.0.1/x}",
}


@pytest.mark.parametrize("raw", [False, True], ids=["parsed", "raw"])
@pytest.mark.parametrize("words", CLEVER.values(), ids=CLEVER.keys())
def test_what_is_clever_is_recorded_in_one_line_and_exported(telemetry: Telemetry, words: str, raw: bool) -> None:
    start = {**START, "message": {**START["message"], "id": words, "model": words}}
    body = event(start) + event({**DELTA, "delta": {"stop_reason": words}}) + event(error("overloaded_error", words))
    span = answered(telemetry, body, raw=raw)
    assert "overloaded_error" == span["error.type"]
    (logged,) = telemetry.logged()
    texts = (
        span["description"],
        span["gen_ai.response.id"],
        span["gen_ai.response.model"],
        span["gen_ai.response.finish_reasons"][0],
        logged["exception.message"],
    )
    for text in texts:
        assert text.isprintable()
        assert 1 == len(text.splitlines())
    assert b"overloaded_error" in exported(telemetry)


def test_a_model_that_the_caller_asks_for_can_be_exported_whatever_its_name(telemetry: Telemetry) -> None:
    transport = Transport(Answer((HEAD + TAIL,)), Nothing())
    messages = client("Anthropic", transport, asynchronous=False).messages
    with telemetry.instrumented():
        for model in ("m" * MEGABYTE, "a\nb", "\u2028", ""):
            list(messages.create(**{**REQUEST, "model": model}, stream=True))
    assert len(exported(telemetry)) < 64 * 1024


NUMBERS = ["1e999", "-1e999", "NaN", "1" * 4000, "1" * 5000, "-7", "true", "[]", "null"]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:8])
def test_what_is_no_number_of_tokens_is_none(telemetry: Telemetry, number: str) -> None:
    usage = f'{{"output_tokens": {number}, "input_tokens": {number}}}'
    delta = f'event: message_delta\ndata: {{"type": "message_delta", "delta": {{}}, "usage": {usage}}}\n\n'
    span = answered(telemetry, HEAD + delta.encode() + event(STOP), raw=True)
    assert "gen_ai.usage.output_tokens" not in span
    assert exported(telemetry)


@pytest.mark.parametrize("raw", [False, True], ids=["parsed", "raw"])
def test_a_payload_nested_without_end_is_none(telemetry: Telemetry, raw: bool) -> None:
    nested = b'{"type": "error", "error": ' + b'{"a": ' * 100_000 + b"1" + b"}" * 100_001
    span = answered(telemetry, HEAD + b"event: error\ndata: " + nested + b"\n\n", raw=raw)
    assert ("failed", "_OTHER") == (span["after200.outcome"], span["error.type"])


def test_faults_of_ours_do_not_log_what_the_server_sent(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even the traceback: it has the lines of our code, and no values."""

    def broken(*args: Any) -> None:
        raise RuntimeError("ours")

    secret = "from-the-server-4711"
    monkeypatch.setattr("after200.call.messages.find_error", broken)
    with caplog.at_level(logging.DEBUG):
        answered(telemetry, HEAD + event(error("overloaded_error", secret)))
    assert "after200 failed in" in caplog.text
    assert secret not in "\n".join(record.getMessage() for record in caplog.records if record.name == "after200")
    caplog.clear()
