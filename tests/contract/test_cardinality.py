# SPDX-License-Identifier: Apache-2.0
"""Neither a caller nor a server can make the package write more than so many series."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from after200.signals import bounds, metrics

from ..support.patience import PATIENCE_S
from ..support.streams.application import Application
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry, described


@pytest.fixture(autouse=True)
def _a_process_that_has_seen_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = bounds.Bounds()
    for module in (bounds, metrics):
        monkeypatch.setattr(module, "BOUNDS", fresh)


def values(telemetry: Telemetry, attribute: str) -> set[Any]:
    """Every value that `attribute` has in any metric."""
    return {
        point.attributes[attribute] for _, point in telemetry.data_points() if attribute in (point.attributes or {})
    }


def test_a_hundred_models_are_told_apart_and_the_rest_are_other(application: Application, telemetry: Telemetry) -> None:
    client = application.client("completed")
    with telemetry.instrumented():
        for number in range(120):
            client.messages.create(**{**REQUEST, "model": f"model-{number}"})
    expected = {*(f"model-{number}" for number in range(100)), "_OTHER"}
    assert expected == values(telemetry, "gen_ai.request.model")
    assert expected == values(telemetry, "gen_ai.response.model")
    assert 120 == telemetry.total("after200.calls")
    assert 20 == telemetry.total("after200.calls", {"gen_ai.request.model": "_OTHER"})
    # A span is not a series: it keeps the name that the caller used.
    assert "model-119" == described(telemetry.spans[-1])["gen_ai.request.model"]


class Inventive(BaseHTTPRequestHandler):
    """Answers each request with an error type that nobody has heard of before."""

    protocol_version = "HTTP/1.1"
    invented = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        Inventive.invented += 1
        error = {"type": "error", "error": {"type": f"invented_{Inventive.invented}_error", "message": "m"}}
        body = b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Says nothing."""


@pytest.fixture
def inventive() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Inventive)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join(PATIENCE_S)
    server.server_close()


def test_fifty_error_types_that_nobody_documents_are_told_apart_and_the_rest_are_other(
    inventive: str, application: Application, telemetry: Telemetry
) -> None:
    client = application.client("completed").copy(base_url=inventive)
    with telemetry.instrumented():
        for _ in range(60):
            with contextlib.suppress(Exception):
                list(client.messages.create(stream=True, **REQUEST))
        with contextlib.suppress(Exception):
            list(application.client("overloaded_error_mid_stream").messages.create(stream=True, **REQUEST))
    invented = {found for found in values(telemetry, "error.type") if found.startswith("invented_")}
    assert 50 == len(invented)
    assert 10 == telemetry.total("after200.calls", {"error.type": "_OTHER"})
    assert 1 == telemetry.total("after200.calls", {"error.type": "overloaded_error"})
    assert 61 == telemetry.total("after200.calls")
