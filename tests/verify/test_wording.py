# SPDX-License-Identifier: Apache-2.0
"""What `after200 verify` prints, where no server is needed to see it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from after200.cli.exporters import Exporter
from after200.cli.verify.checks import CHECKS, Seen
from after200.cli.verify.report import console_for, show
from after200.cli.verify.wording import brief


def printed(seen: Seen) -> list[list[str]]:
    """The words of each line of the table of calls, after the name of the call."""
    output = io.StringIO()
    show(seen, [], Console(file=output, width=200))
    return [line.split() for line in output.getvalue().splitlines() if line.strip().startswith("a good call")]


def test_what_was_not_sent_is_not_said_to_be_recorded_wrongly() -> None:
    refused = Exporter("traces", "OTLPSpanExporter", "http://localhost:4318", False, offered=2)
    accepted = Exporter("metrics", "OTLPMetricExporter", "http://localhost:4318", False, offered=1, accepted=1)
    application = {check.name: "9 events" for check in CHECKS}
    seen = Seen(
        "claude", "service", None, ("traces", "metrics"), exporters=[refused, accepted], application=application
    )
    [line] = printed(seen)
    assert ["not", "sent", "no"] == line[-3:]


def nothing_sent() -> Seen:
    refused = [
        Exporter(signal, "OTLPExporter", "http://localhost:4318", False, offered=2)
        for signal in ("traces", "metrics", "logs")
    ]
    application = {check.name: "6 events, then APIStatusError, status_code 200" for check in CHECKS}
    return Seen("claude", "service", None, ("traces", "metrics"), exporters=refused, application=application)


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_error_type_is_cut_whatever_the_width(width: int) -> None:
    output = io.StringIO()
    show(nothing_sent(), [], Console(file=output, width=width))
    words = output.getvalue().replace(",", " ").split()
    assert {"overloaded_error", "stream_truncated", "connection_error", "APIStatusError"} <= set(words)
    assert "…" not in output.getvalue()


def test_in_a_pipe_each_call_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    output = io.StringIO()
    show(nothing_sent(), [], console_for(output))
    lines = [" ".join(line.split()) for line in output.getvalue().splitlines()]
    received = "6 events, then APIStatusError, status_code 200"
    assert (
        f"a truncated stream {received} truncated, stream_truncated, status absent, wire status 200 not sent not sent"
        in lines
    )


@pytest.mark.parametrize(
    ("said", "short"),
    [
        (
            "opentelemetry.exporter.otlp.trace_exporter: Transient error HTTPConnectionPool(host='localhost',"
            ' port=4999): Max retries exceeded with url: /v1/traces (Caused by NewConnectionError("HTTPConnection(host='
            "'localhost', port=4999): Failed to establish a new connection: [Errno 111] Connection refused\"))",
            "Connection refused.",
        ),
        (
            "NameResolutionError(\"HTTPConnection(host='collector', port=4318): Failed to resolve 'collector' "
            '([Errno -2] Name or service not known)"))',
            "Failed to resolve 'collector'.",
        ),
        ("opentelemetry.exporter: Failed to export batch code: 404", "Failed to export batch code: 404"),
        ("x" * 201, "x" * 200 + "..."),
    ],
)
def test_what_an_exporter_said_is_short(said: str, short: str) -> None:
    assert short == brief(said)
