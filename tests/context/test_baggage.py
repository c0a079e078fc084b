# SPDX-License-Identifier: Apache-2.0
"""Whose call it was: entries of the caller's baggage on spans, metrics and log records.

A `BaggageSpanProcessor` puts all of them on the span of the call, whoever makes that span; the setting `metric_baggage`
puts those that it names also on the metrics and the log record.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import pytest
from opentelemetry import baggage
from opentelemetry import context as contexts

from after200 import names
from after200.faults import FaultServer
from after200.signals import baggage as signals_baggage
from after200.signals.bounds import Bounds

from ..support.telemetry import Telemetry
from ..support.traced_calls import TWINS, Twin, client_options, read, traced_by


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("mode", ["own", "auto"])
def test_the_baggage_of_the_caller_is_on_the_span_of_the_call(
    server: FaultServer, telemetry: Telemetry, mode: str, twin: Twin
) -> None:
    processor = pytest.importorskip(
        "opentelemetry.processor.baggage",
        reason="opentelemetry-processor-baggage is not installed, or not for this OpenTelemetry",
        exc_type=ImportError,
    )
    telemetry.tracer_provider.add_span_processor(processor.BaggageSpanProcessor(processor.ALLOW_ALL_BAGGAGE_KEYS))
    option: dict[str, Any] = traced_by(telemetry) if mode == "auto" else {}
    token = contexts.attach(baggage.set_baggage("tenant", "acme"))
    try:
        with telemetry.instrumented(spans=mode):
            read("messages.create(stream=True)", twin, client_options(server, "overloaded_error_mid_stream", **option))
        assert {"tenant": "acme"} == baggage.get_all()
    finally:
        contexts.detach(token)
    (span,) = telemetry.spans
    said = span.attributes or {}
    assert ("acme", "overloaded_error", 529) == (
        said["tenant"],
        said["error.type"],
        said["http.response.status_code"],
    )


WHOSE = ("tenant.id", "app.route")
WITH_CALLER = {names.CALLS.name, names.ANSWERS_RECEIVED.name, names.TOKENS.name}


@pytest.fixture(autouse=True)
def _a_process_that_has_seen_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals_baggage, "BOUNDS", Bounds())


@contextmanager
def carried(**entries: object) -> Iterator[None]:
    """A context with these baggage entries; `__` in a name stands for a dot."""
    context = contexts.get_current()
    for name, value in entries.items():
        context = baggage.set_baggage(name.replace("__", "."), value, context)
    token = contexts.attach(context)
    try:
        yield
    finally:
        contexts.detach(token)


def callers(telemetry: Telemetry) -> dict[str, set[tuple[Any, ...]]]:
    """The values of `WHOSE` on the points of each metric, but for the series that were born at zero."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    for metric, point in telemetry.data_points():
        if getattr(point, "value", 1):
            found.setdefault(metric.name, set()).add(tuple(point.attributes.get(name) for name in WHOSE))
    return found


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("mode", ["own", "auto", "none"])
def test_the_entries_that_are_named_are_on_calls_answers_tokens_span_and_log_record_and_nowhere_else(
    server: FaultServer, telemetry: Telemetry, mode: str, twin: Twin
) -> None:
    option: dict[str, Any] = traced_by(telemetry) if mode == "auto" else {}
    with telemetry.instrumented(spans=mode, metric_baggage=",".join(WHOSE)), carried(tenant__id="acme", other="x"):
        for scenario in ("completed", "overloaded_error_mid_stream"):
            read("messages.create(stream=True)", twin, client_options(server, scenario, **option))
    found = callers(telemetry)
    assert WITH_CALLER < found.keys()
    assert {metric: {("acme", None) if metric in WITH_CALLER else (None, None)} for metric in found} == found
    assert ["acme"] * len(telemetry.spans) == [(span.attributes or {}).get("tenant.id") for span in telemetry.spans]
    assert (0 if mode == "none" else 2) == len(telemetry.spans)
    assert [("acme", None, None)] == [
        (log.get("tenant.id"), log.get("app.route"), log.get("other")) for log in telemetry.logs
    ]


@pytest.mark.parametrize("twin", TWINS)
def test_without_the_setting_nothing_says_whose_call_it_was(
    server: FaultServer, telemetry: Telemetry, twin: Twin
) -> None:
    with telemetry.instrumented(), carried(tenant__id="acme"):
        read("messages.create(stream=True)", twin, client_options(server, "overloaded_error_mid_stream"))
    assert {(None, None)} == set().union(*callers(telemetry).values())
    assert "tenant.id" not in {*telemetry.calls[0].attributes, *telemetry.logs[0]}


def test_the_context_in_which_the_call_began_counts_wherever_the_stream_is_read(
    server: FaultServer, telemetry: Telemetry
) -> None:
    client = anthropic.Anthropic(**client_options(server, "completed"))
    question: Any = {"role": "user", "content": "Hello?"}
    with telemetry.instrumented(metric_baggage=["tenant.id"]):
        with carried(tenant__id="acme"):
            stream = client.messages.create(model="m", max_tokens=9, messages=[question], stream=True)
        with carried(tenant__id="another"):
            for _ in stream:
                pass
    assert {("acme", None)} == callers(telemetry)[names.CALLS.name]


def test_a_hundred_tenants_are_told_apart_and_the_rest_and_what_is_too_long_are_other(
    server: FaultServer, telemetry: Telemetry
) -> None:
    client = anthropic.Anthropic(**client_options(server, "completed"))
    question: Any = {"role": "user", "content": "Hello?"}
    tenants = ["x" * 65, *(f"tenant-{number}" for number in range(100)), "tenant-100", "tenant-5", "", "line\nbreak"]
    with telemetry.instrumented(metric_baggage="tenant.id"):
        for tenant in tenants:
            with carried(tenant__id=tenant):
                client.messages.create(model="m", max_tokens=9, messages=[question])
    expected = {**{f"tenant-{number}": 1 for number in range(100)}, "tenant-5": 2, names.OTHER: 3, None: 1}
    counted: dict[Any, float] = {}
    for point in telemetry.points(names.CALLS.name):
        if point.value:
            tenant = point.attributes.get("tenant.id")
            counted[tenant] = counted.get(tenant, 0) + point.value
    assert expected == counted
