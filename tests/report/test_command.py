# SPDX-License-Identifier: Apache-2.0
"""The options of `after200 report`, and servers that do not answer as they should."""

from __future__ import annotations

import datetime
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_plus

import pytest

from after200.cli.report.client import Client
from after200.cli.report.command import main, times
from after200.cli.report.incident import Request
from after200.cli.report.requests import from_loki, from_tempo
from after200.cli.report.window import STEPS, Window, window_of

NOW = datetime.datetime(2026, 11, 29, 12, 0, tzinfo=datetime.timezone.utc).timestamp()
WINDOW = Window(1_764_000_000, 1_764_003_600, 30)


@pytest.mark.parametrize(
    ("begin", "end", "since", "expected"),
    [
        (None, None, None, (NOW - 3600, NOW)),
        (None, None, "30m", (NOW - 1800, NOW)),
        ("2026-11-29T10:00Z", "2026-11-29T12:30+01:00", None, (NOW - 7200, NOW - 1800)),
        (None, "1795950000", "90s", (1795949910, 1795950000)),
    ],
)
def test_the_time_that_is_asked_for(
    begin: str | None, end: str | None, since: str | None, expected: tuple[float, float]
) -> None:
    assert expected == times(begin, end, since, NOW)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since=soon"], "argument --since: 'soon' is not a time like 90s, 30m, 2h or 1d"),
        (["--since=0m"], "argument --since: '0m' is not a time like 90s, 30m, 2h or 1d"),
        (["--from=noon"], "argument --from: 'noon' is not a time like 2026-11-29T12:00, 12:00 (today) or 1795953600; "),
        (["--from=2026-01-01", "--since=1h"], "--since and --from both say when the time begins; give one of them"),
        (["--from=2026-01-02", "--to=2026-01-01"], "the time begins after its end; --from must be earlier than --to"),
        (["--since=91d"], "the time is longer than 90 days; ask for less"),
        (["--prometheus=here"], "argument --prometheus: 'here' is not a URL, as in http://localhost:9090"),
        (["--by=a b"], "argument --by: 'a b' is not the name of an entry, as in tenant.id"),
        (["--timeout=0"], "argument --timeout: '0' is not a number of seconds above 0, at most 86400"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_accepted(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--prometheus=http://127.0.0.1:9", *options])
    assert 2 == ended.value.code
    assert f"after200 report: error: {said}" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", [10, 61, 3600, 86400, 7 * 86400, 90 * 86400])
def test_a_window_has_whole_steps_and_not_too_many(seconds: int) -> None:
    window = window_of(1_764_000_001.5, 1_764_000_001.5 + seconds)
    assert window.begin <= 1_764_000_001.5 < 1_764_000_001.5 + seconds <= window.end
    assert 0 == (window.end - window.begin) % window.step == window.end % window.step
    assert (window.end - window.begin) / window.step <= STEPS + 2


@contextmanager
def answering(
    body: bytes, status: int = 200, wait: Callable[[], object] = lambda: None
) -> Iterator[tuple[str, list[str]]]:
    """A stand-in that gives every question the same answer; its URL, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            wait()
            with suppress(ConnectionError):  # Who was waited for too long is gone.
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # Closing it waits for its threads: what one still does is no other test's.
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"<html>", 200, "is no Prometheus: b'<html>'"),
        (b"[]", 200, "is not that of a Prometheus: []"),
        (b'{"data": {"result": 7}}', 200, "is not that of a Prometheus: {'data': {'result': 7}}"),
        (b'{"data": {"result": [{}]}}', 200, "is not that of a Prometheus: {'data': {'result': [{}]}}"),
        (b'{"data": {"result": [{"metric": {}, "value": [1, "x"]}]}}', 200, "is not that of a Prometheus: "),
        (
            b'{"error": "too many samples"}',
            422,
            'answers 422 to how many series of after200_calls_total: {"error": "too',
        ),
    ],
)
def test_what_is_no_prometheus_is_named_with_what_it_said(
    body: bytes, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(body, status) as (url, _):
        assert 1 == main([f"--prometheus={url}"])
    assert said in capsys.readouterr().err


def test_a_prometheus_that_is_too_slow_is_named_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    leave = threading.Event()
    with answering(b"{}", wait=lambda: leave.wait(30)) as (url, _):
        assert 1 == main([f"--prometheus={url}", "--timeout=0.2"])
        leave.set()
    said = capsys.readouterr().err
    assert f"Prometheus at {url} did not answer within 0.2 s when asked for how many series of " in said
    assert "give it more with --timeout, or ask for a shorter time" in said


def test_a_prometheus_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["--prometheus=http://127.0.0.1:9"])
    said = "after200 report: Prometheus does not answer at http://127.0.0.1:9: Connection refused\n"
    assert said == capsys.readouterr().err


def test_in_a_terminal_a_line_says_what_is_waited_for_and_for_how_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # takes what pytest captures for a terminal
    with answering(b"<html>") as (url, _):
        assert 1 == main([f"--prometheus={url}"])
    said = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert re.search(r"Prometheus: how many series of after200_calls_total 0:00:\d\d", said), said


TEMPO = {
    "traces": [
        {
            "traceID": "1",
            "spanSets": [
                {
                    "spans": [
                        {
                            "spanID": "a",
                            "startTimeUnixNano": "1764000010000000000",
                            "durationNanos": "2000000000",
                            "attributes": [
                                {"key": "anthropic.request.id", "value": {"stringValue": "req_1"}},
                                {"key": "error.type", "value": {"stringValue": "overloaded_error"}},
                                {"key": "gen_ai.request.model", "value": {"stringValue": "claude-sonnet-5"}},
                            ],
                        }
                    ],
                    "matched": 1,
                }
            ],
        }
    ]
}
LOKI = {
    "status": "success",
    "data": {
        "resultType": "streams",
        "result": [
            {
                "stream": {
                    "service_name": "chat",
                    "after200_failure": "overloaded",
                    "error_type": "overloaded_error",
                    "anthropic_request_id": "req_1",
                },
                "values": [["1764000012000000000", ""]],
            }
        ],
    },
}
"""Answers in the form that the API of each documents."""


def test_failed_calls_are_read_from_an_answer_of_tempo_s_form() -> None:
    with answering(json.dumps(TEMPO).encode()) as (url, asked):
        found = from_tempo(Client("Tempo", url, {}, 5), WINDOW)
    assert [Request(1764000012.0, "claude-sonnet-5", "overloaded_error", "req_1")] == found
    assert "start=1764000000&end=1764003600" in asked[0]


def test_calls_of_verify_are_no_failed_calls_of_a_service() -> None:
    verified = json.dumps(TEMPO).replace("claude-sonnet-5", "after200-verify-0123abcd")
    with answering(verified.encode()) as (url, _):
        assert [] == from_tempo(Client("Tempo", url, {}, 5), WINDOW)
    with answering(json.dumps(LOKI).encode()) as (url, asked):
        from_loki(Client("Loki", url, {}, 5), WINDOW)
    assert 'service_name!~".*-after200-verify"' in unquote_plus(asked[0])


def test_failed_calls_are_read_from_an_answer_of_loki_s_form() -> None:
    with answering(json.dumps(LOKI).encode()) as (url, asked):
        found = from_loki(Client("Loki", url, {}, 5), WINDOW)
    assert [Request(1764000012.0, "", "overloaded_error", "req_1")] == found
    assert "start=1764000000000000000&end=1764003600000000000" in asked[0]
