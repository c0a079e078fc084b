# SPDX-License-Identifier: Apache-2.0
"""Where all is right, the verdict is right, and what was sent can be told from what the service sends."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from after200 import names
from after200.cli.receiver import Receiver

from .peers import grpc_server
from .verified import ALL_BATCHES, CODES, Verify

TITLES = ["a good call", "a refusal", "an overload mid-stream", "a truncated stream", "a dropped connection"]
ALL = {"traces": [True] * 5, "metrics": [True] * 5}


def test_all_calls_are_recorded_and_accepted(verify: Verify, receiver: Receiver) -> None:
    verified = verify(settings={"OTEL_SERVICE_NAME": "chat"})
    result = verified.result
    assert [] == result["findings"]
    assert ("right", TITLES, ALL) == (result["verdict"], [call["check"] for call in result["calls"]], verified.recorded)
    assert ["9 events", "10 events", "6 events, then APIStatusError, status_code 200", "6 events"] == [
        call["application"] for call in result["calls"][:4]
    ]
    points = receiver.points(names.CALLS.name, {names.REQUEST_MODEL: result["model"]})
    assert 5 == sum(point.value for point in points)


def test_what_it_sends_is_marked(verify: Verify, receiver: Receiver) -> None:
    settings = {"OTEL_SERVICE_NAME": "chat", "OTEL_RESOURCE_ATTRIBUTES": "team=a,service.instance.id=pod-1"}
    model = verify(settings=settings).result["model"]
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


@pytest.mark.parametrize(
    ("attributes", "service"), [("service.name=shop,team=a", "shop"), ("team=a", "unknown_service")]
)
def test_the_service_is_named_as_its_resource_says(verify: Verify, attributes: str, service: str) -> None:
    verified = verify(settings={"OTEL_RESOURCE_ATTRIBUTES": attributes})
    assert f"{service}-after200-verify" == verified.result["service"]


def test_grpc_is_as_good(verify: Verify) -> None:
    with grpc_server() as port:
        settings = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
        verified = verify(settings=settings)
    assert ([], ALL) == (verified.result["findings"], verified.recorded)


def test_the_console_is_an_exporter_too(verify: Verify) -> None:
    verified = verify(settings={"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "console"})
    assert ([], ALL) == (verified.result["findings"], verified.recorded)


def test_two_exporters_of_a_signal_do_not_count_twice(verify: Verify) -> None:
    verified = verify(settings={"OTEL_TRACES_EXPORTER": "console,otlp", "OTEL_METRICS_EXPORTER": "otlp,console"})
    assert ([], ALL, 4) == (verified.result["findings"], verified.recorded, len(verified.result["exporters"]))


def test_a_proxy_for_the_internet_does_not_keep_it_from_its_own_server(verify: Verify) -> None:
    verified = verify(settings={"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"})
    assert [] == verified.result["findings"]


def test_the_log_records_of_the_failures_are_exported_with_the_rest(verify: Verify, receiver: Receiver) -> None:
    verified = verify(settings={"OTEL_LOGS_EXPORTER": "otlp"})
    assert [] == verified.result["findings"]
    marked = [log for log in receiver.logs if log.resource["after200.verify"] == verified.result["model"]]
    expected = Counter({"overloaded_error": 1, "stream_truncated": 1, "connection_error": 1})
    assert expected == Counter(log.attributes[names.ERROR_TYPE] for log in marked)


@pytest.mark.parametrize(
    ("aggregation", "kind"),
    [
        ("explicit_bucket_histogram", "explicit-bucket histograms"),
        ("base2_exponential_bucket_histogram", "exponential histograms"),
    ],
)
def test_the_kind_of_the_histograms_is_said(verify: Verify, aggregation: str, kind: str) -> None:
    verified = verify(settings={"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": aggregation})
    [metrics] = [words for name, words in verified.result["exporters"].items() if name.startswith("metrics")]
    assert [] == verified.result["findings"]
    assert re.search(f"{ALL_BATCHES}, cumulative, {kind}$", metrics)


def test_every_code_there_is_has_a_test() -> None:
    tests = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert CODES == {code for code in CODES if f'"{code}"' in tests}
