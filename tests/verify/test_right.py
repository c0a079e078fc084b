# SPDX-License-Identifier: Apache-2.0
"""Where all is right, the verdict is right, and what was sent can be told from what the service sends."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from after200 import names
from after200.cli.receiver import Receiver
from after200.cli.verify.diagnoses.findings import FAULTS, NOTES
from after200.cli.verify.seen import EXPECTED

from .peers import grpc_server
from .verified import Verify

TITLES = ["a good call", "an overload in mid-stream", "a truncated stream", "a dropped connection"]


def test_all_four_calls_are_recorded_and_taken(verify: Verify, receiver: Receiver) -> None:
    verified = verify({"OTEL_SERVICE_NAME": "chat"})
    assert [] == verified.findings
    result = verified.result
    assert ("right", TITLES) == (result["verdict"], [call["check"] for call in result["calls"]])
    assert [{"traces": True, "metrics": True}] * 4 == [call["recorded"] for call in result["calls"]]
    assert ["9 events", "6 events, then APIStatusError, status_code 200", "6 events"] == [
        call["application"] for call in result["calls"][:3]
    ]
    assert EXPECTED == verified.seen.recorded("traces") == verified.seen.recorded("metrics")
    assert {"in place"} == {hook["state"] for hook in result["facts"]["hooks"]} - {"absent"}
    points = receiver.points(names.CALLS.name, {names.REQUEST_MODEL: verified.seen.model})
    assert 4 == sum(point.value for point in points)


def test_what_it_sends_is_marked(verify: Verify, receiver: Receiver) -> None:
    verified = verify({"OTEL_SERVICE_NAME": "chat", "OTEL_RESOURCE_ATTRIBUTES": "team=a,service.instance.id=pod-1"})
    model = verified.seen.model
    [resource] = [
        dict(marked)
        for marked in {
            tuple(sorted(span.resource.items(), key=str))
            for span in receiver.spans
            if span.attributes.get(names.REQUEST_MODEL) == model
        }
    ]
    marks = ("service.name", "service.instance.id", "after200.verify", "team")
    assert ("chat-after200-verify", model, model, "a") == tuple(resource[name] for name in marks)


def test_grpc_is_as_good(verify: Verify) -> None:
    with grpc_server() as port:
        verified = verify(
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
        )
    assert [] == verified.findings
    assert EXPECTED == verified.seen.recorded("traces") == verified.seen.recorded("metrics")


def test_the_console_is_an_exporter_too(verify: Verify) -> None:
    verified = verify({"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "console"})
    assert [] == verified.findings


def test_a_proxy_for_the_internet_does_not_keep_it_from_its_own_server(verify: Verify) -> None:
    verified = verify({"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"})
    assert [] == verified.findings


def test_the_log_records_of_the_failures_are_exported_with_the_rest(verify: Verify, receiver: Receiver) -> None:
    verified = verify({"OTEL_LOGS_EXPORTER": "otlp"})
    assert [] == verified.findings
    marked = [log for log in receiver.logs if log.resource["after200.verify"] == verified.seen.model]
    expected = Counter({"overloaded_error": 1, "stream_truncated": 1, "connection_error": 1})
    assert expected == Counter(log.attributes[names.ERROR_TYPE] for log in marked)


def test_every_code_there_is_has_a_test() -> None:
    folder = Path(__file__).parent
    tests = "".join(file.read_text(encoding="utf-8") for file in folder.glob("test_*.py"))
    asserted = {code for code in (*FAULTS, *NOTES) if f'"{code}"' in tests}
    by_signal = {f"{signal}_exporter_none" for signal in ("traces", "metrics")}
    assert {*FAULTS, *NOTES} == asserted | by_signal
