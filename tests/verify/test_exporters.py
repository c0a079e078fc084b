# SPDX-License-Identifier: Apache-2.0
"""What is recorded and does not arrive: each wrong endpoint has its own words."""

from __future__ import annotations

import re

import pytest

from after200.cli.receiver import Receiver

from ..support.ports import free_port
from .peers import deaf_port, grpc_server, rude_port, web_server
from .verified import Verify

pytestmark = pytest.mark.usefixtures("impatient")

ENDPOINT, PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exporters that do not try for long what cannot succeed."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_nobody_listens(verify: Verify, protocol: str) -> None:
    port = free_port()
    verified = verify(settings={ENDPOINT: f"http://127.0.0.1:{port}", PROTOCOL: protocol})
    assert ["exporter_unreachable"] == verified.wrong
    said = verified.said("exporter_unreachable")
    for signal in ("traces", "metrics"):
        assert re.search(rf"{signal} go to (http://)?127.0.0.1:{port}", said)
    assert "nobody answers there. Connection refused." in said or "StatusCode.UNAVAILABLE" in said
    assert "over gRPC is port 4317, over HTTP 4318" in said
    assert "Is the Collector (or backend) running" in said


def test_a_signal_that_need_not_arrive_is_noted(verify: Verify) -> None:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}/v1/logs"
    verified = verify(settings={"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": endpoint})
    assert ([], ["exporter_unreachable"]) == (verified.wrong, verified.notes)
    assert f"logs go to {endpoint}: nobody answers there" in verified.said("exporter_unreachable")


def test_a_host_that_does_not_exist(verify: Verify) -> None:
    verified = verify(settings={ENDPOINT: "http://collector.invalid:4318"})
    assert ["exporter_unreachable"] == verified.wrong
    assert "Failed to resolve 'collector.invalid'" in verified.said("exporter_unreachable")


def test_nobody_answers(verify: Verify) -> None:
    with deaf_port() as port:
        verified = verify(settings={ENDPOINT: f"http://127.0.0.1:{port}"})
    assert ["exporter_unreachable"] == verified.wrong
    assert "due to timeout" in verified.said("exporter_unreachable")


def test_http_to_a_grpc_port(verify: Verify) -> None:
    with grpc_server() as port:
        verified = verify(settings={ENDPOINT: f"http://127.0.0.1:{port}"})
    assert ["wrong_protocol"] == verified.wrong
    said = verified.said("wrong_protocol")
    assert "what answers there speaks another protocol" in said
    assert "usually grpc on 4317, http/protobuf on 4318" in said


def test_grpc_to_an_http_port(verify: Verify, receiver: Receiver) -> None:
    verified = verify(settings={PROTOCOL: "grpc", "OTEL_EXPORTER_OTLP_TIMEOUT": "2"})
    assert ["wrong_protocol"] == verified.wrong
    said = verified.said("wrong_protocol")
    for signal in ("traces", "metrics"):
        assert re.search(rf"{signal} go to 127\.0\.0\.1:\d+: what answers there speaks another protocol", said)


def test_a_path_that_is_not_there(verify: Verify, receiver: Receiver) -> None:
    verified = verify(settings={"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": receiver.url})
    assert ["wrong_path"] == verified.wrong
    said = verified.said("wrong_path")
    assert f"metrics go to {receiver.url}" in said
    assert "code: 404" in said
    assert "..._METRICS_ENDPOINT are the whole URL" in said


@pytest.mark.parametrize(("status", "code"), [(401, "exporter_unauthorized"), (403, "exporter_unauthorized")])
def test_a_receiver_that_wants_a_key(verify: Verify, status: int, code: str) -> None:
    with web_server(status) as port:
        verified = verify(settings={ENDPOINT: f"http://127.0.0.1:{port}"})
    assert [code] == verified.wrong
    assert "OTEL_EXPORTER_OTLP_HEADERS" in verified.said(code)


def test_a_port_that_hangs_up(verify: Verify) -> None:
    with rude_port() as port:
        verified = verify(settings={ENDPOINT: f"http://127.0.0.1:{port}"})
    assert ["exporter_unreachable"] == verified.wrong
    assert "https:// in the endpoint" in verified.said("exporter_unreachable")


def test_tls_where_there_is_none(verify: Verify, receiver: Receiver) -> None:
    verified = verify(settings={ENDPOINT: receiver.url.replace("http:", "https:")})
    assert ["exporter_tls"] == verified.wrong
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in verified.said("exporter_tls")


def test_a_receiver_that_takes_nothing(verify: Verify) -> None:
    with web_server(500) as port:
        verified = verify(settings={ENDPOINT: f"http://127.0.0.1:{port}"})
    assert ["exporter_refused"] == verified.wrong
    assert "code: 500" in verified.said("exporter_refused")


def test_deltas_are_a_note_without_prometheus_and_wrong_with_it(verify: Verify) -> None:
    preference = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
    verified = verify(settings={preference: "delta"})
    assert ([], ["delta_temporality"]) == (verified.wrong, verified.notes)
    port = free_port()
    options = (f"--prometheus=http://127.0.0.1:{port}", "--timeout=0.1")
    verified = verify(*options, settings={preference: "delta"})
    assert ["delta_temporality"] == verified.wrong
    assert f"{preference}=cumulative" in verified.said("delta_temporality")


def test_an_exporter_that_is_not_installed(verify: Verify) -> None:
    verified = verify(settings={"OTEL_TRACES_EXPORTER": "zipkin_proto"})
    assert ["exporter_missing"] == verified.wrong
    assert "Requested component 'zipkin_proto' not found" in verified.said("exporter_missing")
