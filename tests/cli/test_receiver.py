# SPDX-License-Identifier: Apache-2.0
"""The receiver, fed by the real OTLP exporters over a real socket."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator

import pytest
from opentelemetry._logs import LogRecord as ApiLogRecord
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from after200.cli.otlp import Telemetry
from after200.cli.receiver import LIMIT, PROTOBUF, Receiver
from after200.cli.refused import Refusal

from ..support.patience import PATIENCE_S

RESOURCE = Resource({"service.name": "checkout"})
DELTA = {Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_a_span_arrives_whole(receiver: Receiver, compression: Compression) -> None:
    provider = TracerProvider(resource=RESOURCE)
    exporter = OTLPSpanExporter(endpoint=f"{receiver.url}/v1/traces", compression=compression)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    attributes = {"a": "text", "b": 7, "c": 0.5, "d": True, "e": ("x", "y")}
    tracer = provider.get_tracer("a.scope")
    with tracer.start_as_current_span("parent"):
        span = tracer.start_span("chat m", kind=SpanKind.CLIENT, attributes=attributes, start_time=1_000_000_000)
        span.set_status(Status(StatusCode.ERROR, "Overloaded"))
        span.end(3_500_000_000)

    child, parent = receiver.spans
    assert {"a": "text", "b": 7, "c": 0.5, "d": True, "e": ["x", "y"]} == child.attributes
    assert ("chat m", "CLIENT", "a.scope", "ERROR", "Overloaded", 2.5) == (
        child.name,
        child.kind,
        child.scope,
        child.status,
        child.description,
        child.duration,
    )
    assert (parent.trace_id, parent.span_id, "") == (child.trace_id, child.parent_id, parent.parent_id)
    assert ("UNSET", "INTERNAL") == (parent.status, parent.kind)
    assert child.resource["service.name"] == "checkout"


@pytest.mark.parametrize("temporality", [{}, DELTA], ids=["cumulative", "delta"])
def test_points_say_how_things_stand_whatever_the_temporality(
    receiver: Receiver, temporality: dict[type, AggregationTemporality]
) -> None:
    exporter = OTLPMetricExporter(endpoint=f"{receiver.url}/v1/metrics", preferred_temporality=temporality)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider([reader], resource=RESOURCE)
    meter = provider.get_meter("a.scope")
    calls = meter.create_counter("calls", "{call}")
    seconds = meter.create_histogram("seconds", "s", explicit_bucket_boundaries_advisory=[1.0, 10.0])
    still_open = meter.create_up_down_counter("open")
    for _ in range(2):
        calls.add(2, {"outcome": "failed", "status": 529})
        calls.add(1, {"outcome": "completed"})
        seconds.record(0.5)
        seconds.record(4.0)
        still_open.add(1)
        provider.force_flush()
    provider.shutdown()

    assert {"calls", "seconds", "open"} == receiver.metrics()
    [failed] = receiver.points("calls", {"status": 529})
    expected = "delta" if temporality else "cumulative"
    assert (4, "{call}", expected, "a.scope") == (failed.value, failed.unit, failed.temporality, failed.scope)
    assert {"outcome": "failed", "status": 529} == failed.attributes
    assert receiver.total("calls") == 6
    assert receiver.total("calls", {"outcome": "completed"}) == 2
    assert receiver.total("calls", {"outcome": "unheard of"}) == 0
    [histogram] = receiver.points("seconds")
    assert ("histogram", 9.0, 4) == (histogram.kind, histogram.value, histogram.count)
    assert receiver.total("seconds") == 4
    assert receiver.total("open") == 2


@pytest.mark.parametrize("temporality", [{}, DELTA], ids=["cumulative", "delta"])
def test_exponential_histograms_and_gauges_arrive_too(
    receiver: Receiver, temporality: dict[type, AggregationTemporality]
) -> None:
    exporter = OTLPMetricExporter(
        endpoint=f"{receiver.url}/v1/metrics",
        preferred_temporality=temporality,
        preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()},
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider([reader], resource=RESOURCE)
    meter = provider.get_meter("a.scope")
    seconds, used = meter.create_histogram("seconds", "s"), meter.create_gauge("used", "1")
    for value in (0.5, 0.25):
        seconds.record(4.0)
        used.set(value, {"kind": "tokens"})
        provider.force_flush()
    provider.shutdown()

    [histogram] = receiver.points("seconds")
    expected = "delta" if temporality else "cumulative"
    assert ("exponential_histogram", 8.0, 2, expected) == (
        histogram.kind,
        histogram.value,
        histogram.count,
        histogram.temporality,
    )
    [gauge] = receiver.points("used")
    assert ("gauge", 0.25, {"kind": "tokens"}, "") == (gauge.kind, gauge.value, gauge.attributes, gauge.temporality)
    assert gauge.interval is not None
    assert gauge.interval > 0


def test_what_is_kept_can_be_chosen() -> None:
    with Receiver(telemetry=Telemetry(limit=2, keep=lambda entry: entry.scope == "a")) as receiver:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{receiver.url}/v1/traces")))
        for scope, name in (("a", "first"), ("a", "second"), ("b", "third"), ("a", "fourth")):
            provider.get_tracer(scope).start_span(name).end()
        assert ["second", "fourth"] == [span.name for span in receiver.spans]


def test_two_processes_with_the_same_attributes_are_two_series(receiver: Receiver) -> None:
    for _ in range(2):
        exporter = OTLPMetricExporter(endpoint=f"{receiver.url}/v1/metrics")
        provider = MeterProvider([PeriodicExportingMetricReader(exporter)], resource=RESOURCE)
        provider.get_meter("a.scope").create_counter("calls").add(3)
        provider.shutdown()

    assert [3, 3] == [point.value for point in receiver.points("calls")]
    assert receiver.total("calls") == 6


def test_a_log_record_arrives_with_its_event_name(receiver: Receiver) -> None:
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(endpoint=f"{receiver.url}/v1/logs")))
    provider.get_logger("a.scope").emit(
        ApiLogRecord(
            event_name="it.happened",
            severity_number=SeverityNumber.WARN,
            severity_text="WARN",
            body={"deep": [1, "two"]},
            attributes={"error.type": "overloaded_error"},
        )
    )

    [record] = receiver.logs
    assert ("it.happened", "WARN", {"deep": [1, "two"]}, "a.scope", "") == (
        record.event_name,
        record.severity,
        record.body,
        record.scope,
        record.trace_id,
    )
    assert {"error.type": "overloaded_error"} == record.attributes
    assert record.resource["service.name"] == "checkout"


def test_waiting_ends_when_the_condition_holds_and_gives_up_when_it_does_not(receiver: Receiver) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{receiver.url}/v1/traces")))
    assert not receiver.wait_for(lambda: bool(receiver.spans), timeout=0.01)
    provider.get_tracer("t").start_span("one").end()
    assert receiver.wait_for(lambda: len(receiver.spans) == 1, timeout=PATIENCE_S)


TOO_MUCH = LIMIT + 1
BAD_REQUESTS = [
    ("/v1/trace", b"", {}, 404, "POST /v1/trace: there is no such path, only /v1/traces, /v1/metrics, /v1/logs"),
    (
        "/v1/traces",
        b"{}",
        {"Content-Type": "application/json"},
        415,
        "POST /v1/traces: Content-Type is application/json; only application/x-protobuf is taken (OTLP http/protobuf)",
    ),
    ("/v1/traces", b"\xff\xff", {}, 400, "POST /v1/traces: the body is not an OTLP request: "),
    (
        "/v1/traces",
        b"",
        {"Content-Encoding": "br"},
        415,
        "POST /v1/traces: Content-Encoding is br; taken are identity, gzip, deflate",
    ),
    ("/v1/logs", b"plain", {"Content-Encoding": "gzip"}, 400, "POST /v1/logs: the body is not gzip: "),
    (
        "/v1/logs",
        zlib.compress(b"plain")[:-4],
        {"Content-Encoding": "deflate"},
        400,
        "POST /v1/logs: the body is",
    ),
    (
        "/v1/logs",
        gzip.compress(bytes(TOO_MUCH)),
        {"Content-Encoding": "gzip"},
        413,
        "POST /v1/logs: the body has",
    ),
    ("/v1/logs", None, {}, 405, "GET /v1/logs: OTLP comes by POST"),
]


@pytest.mark.parametrize(("path", "body", "headers", "status", "reason"), BAD_REQUESTS)
def test_what_cannot_be_taken_is_refused_with_the_reason(
    receiver: Receiver, path: str, body: bytes | None, headers: dict[str, str], status: int, reason: str
) -> None:
    headers = {"Content-Type": "application/x-protobuf"} | headers
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(receiver.url + path, body, headers), timeout=PATIENCE_S)

    with refused.value as answer:
        said = answer.read().decode()
    assert status == refused.value.code
    assert said.startswith(reason)
    assert [said] == receiver.rejected


@pytest.mark.parametrize(("length", "status"), [(str(TOO_MUCH), 413), ("many", 411)])
def test_a_body_of_no_usable_length_is_not_read(receiver: Receiver, length: str, status: int) -> None:
    connection = http.client.HTTPConnection(receiver.url.removeprefix("http://"), timeout=PATIENCE_S)
    connection.putrequest("POST", "/v1/traces")
    connection.putheader("Content-Length", length)
    connection.endheaders()
    answer = connection.getresponse()
    assert status == answer.status
    assert [answer.read().decode()] == receiver.rejected


def test_an_accepted_request_is_answered_in_protobuf(receiver: Receiver) -> None:
    headers = {"Content-Type": "application/x-protobuf"}
    with urllib.request.urlopen(
        urllib.request.Request(f"{receiver.url}/v1/traces", b"", headers), timeout=PATIENCE_S
    ) as answer:
        assert (200, "application/x-protobuf") == (answer.status, answer.headers["Content-Type"])
        assert ExportTraceServiceResponse.FromString(answer.read()) == ExportTraceServiceResponse()
    assert [] == receiver.rejected


def test_grpc_is_named_with_the_setting_that_mends_it(receiver: Receiver) -> None:
    grpc_exporter = pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc.trace_exporter")
    exporter = grpc_exporter.OTLPSpanExporter(endpoint=receiver.url, insecure=True, timeout=1)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("test").start_span("one").end()
    provider.shutdown()
    grpc = Refusal(
        "gRPC (HTTP/2) came to this port, which takes OTLP over HTTP", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
    )
    assert {grpc} == set(receiver.refused)
    assert f"{grpc.reason}; set {grpc.remedy}" == str(grpc)


def test_tls_is_named_at_once_with_the_setting_that_mends_it(receiver: Receiver) -> None:
    port = int(receiver.url.rpartition(":")[2])
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), 10) as plain:  # noqa: PT011
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    tls = Refusal("TLS came to this port, which is plain HTTP", f"OTEL_EXPORTER_OTLP_ENDPOINT={receiver.url}")
    assert [tls] == receiver.refused


@pytest.mark.parametrize(
    ("path", "headers", "remedy"),
    [
        ("/v1/traces", {"Content-Type": "application/json"}, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
        ("/", {"Content-Type": PROTOBUF}, "OTEL_EXPORTER_OTLP_ENDPOINT=URL"),
        ("/v1/traces", {"Content-Type": PROTOBUF, "Content-Encoding": "zstd"}, "OTEL_EXPORTER_OTLP_COMPRESSION=gzip"),
        ("/v1/profiles", {"Content-Type": PROTOBUF}, ""),
    ],
)
def test_a_request_that_is_refused_is_kept_with_the_setting_that_mends_it(
    receiver: Receiver, path: str, headers: dict[str, str], remedy: str
) -> None:
    connection = http.client.HTTPConnection(receiver.url.removeprefix("http://"), timeout=10)
    connection.request("POST", path, b"", headers)
    answered = connection.getresponse().read().decode()
    connection.close()
    assert [Refusal(answered, remedy.replace("URL", receiver.url))] == receiver.refused


def test_what_is_no_http_is_refused_in_one_clean_line(receiver: Receiver) -> None:
    port = int(receiver.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 10) as sent:
        sent.sendall(b"\x1b[31mred\x07 nonsense\r\n\r\n")
        while sent.recv(4096):
            pass
    [refused] = receiver.rejected
    assert refused.startswith("'[31mred nonsense' is no request of OTLP: ")
    assert refused.isprintable()
