# SPDX-License-Identifier: Apache-2.0
"""From a real stream to the webhook of whoever is on call, through real servers, on each way there is.

The committed rules and dashboards are what is loaded and asked; only addresses and intervals differ.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from typing import Any

import pytest

from after200.cli.answered import Answered
from after200.cli.chat import RETRIES
from after200.cli.demo import MIX
from after200.cli.reconcile import Account, expected_account, expected_answered
from after200.faults import FaultServer

from ..support.monitoring.applications import ChatService, Visitor
from ..support.monitoring.programs import DASHBOARDS
from ..support.monitoring.queries import NEEDS_DAYS, judged_after, panel_queries, substituted
from ..support.monitoring.visitor import ANSWERS
from ..support.monitoring.ways import FAULTY, HEALTHY, OVERLOADED, SERVICE, VISITOR, WAYS, Way
from ..support.patience import PATIENCE_S

CALLS = 150
PAGES = "after200-calls: Pages (A)"
"""Empty as long as nothing pages."""
FAULTS = {name: share for name, share in MIX.items() if name != "stall"}
"""The demo's mix, without the fault that takes as long as the timeout."""


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with WAYS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


WITHOUT_NATIVE = pytest.mark.parametrize("way", [name for name in WAYS if name != "native"], indirect=True)
"""For what reads no histogram: `native` differs from `otlp` in nothing else."""


def calls_of(job: str) -> str:
    return f'sum(after200_calls_total{{job="{job}"}})'


@WITHOUT_NATIVE
def test_a_healthy_run_fires_nothing(way: Way, server: FaultServer) -> None:
    with ChatService(HEALTHY, server.base_url("completed", key=way.name), way.telemetry[HEALTHY, SERVICE]) as chat:
        chat.ask(40)
        way.prometheus.wait_for_value(calls_of(HEALTHY), 40)
        way.prometheus.evaluate(3)
        assert way.prometheus.firing(HEALTHY) == set()
        assert way.prometheus.value(f'model:after200_calls_judged:increase5m{{job="{HEALTHY}"}}') is not None


@WITHOUT_NATIVE
def test_an_overload_in_the_first_stream_of_a_fresh_process_reaches_the_webhook(way: Way, server: FaultServer) -> None:
    api = server.base_url("overloaded_error_mid_stream", key=way.name)
    with ChatService(OVERLOADED, api, way.telemetry[OVERLOADED, SERVICE]) as chat:
        (reply,) = chat.ask(1)
        assert (reply["result"], reply["error"], reply["status"]) == ("failed", "APIStatusError", 200)
        failed = time.monotonic()
        expected = {("ClaudeHiddenFailures", "warning"), ("ClaudeOverloaded", "warning")}
        alerts = way.webhook.wait_for(OVERLOADED, {("ClaudeOverloaded", "warning")}, PATIENCE_S)
        print(f"{way.name}: {time.monotonic() - failed:.1f} s from the failure to the webhook")
        way.prometheus.evaluate(2)
        assert way.prometheus.firing(OVERLOADED) == expected
    assert alerts["ClaudeOverloaded", "warning"]["labels"] == {
        "alertname": "ClaudeOverloaded",
        "severity": "warning",
        "job": OVERLOADED,
        "gen_ai_provider_name": "anthropic",
        "gen_ai_request_model": "claude-sonnet-4-5",
        "symptom": "overloaded",
    }
    description = alerts["ClaudeOverloaded", "warning"]["annotations"]["description"]
    where = f"{OVERLOADED}, model claude-sonnet-4-5 at anthropic"
    assert description.startswith(f"100% of the calls of {where} failed because the model is overloaded")


@pytest.fixture(scope="module")
def fault_run(way: Way) -> Iterator[tuple[Account, Answered]]:
    """What happened in a run with every kind of fault, by the fault server's log; the applications stay."""
    with FaultServer(mix=FAULTS, seed=7, rate_limits={"requests": 1000, "input_tokens": 1_000_000}) as own:
        service = ChatService(FAULTY, own.base_url("mix", key="mix"), way.telemetry[FAULTY, SERVICE])
        visitor = Visitor(FAULTY, own.url, way.telemetry[FAULTY, VISITOR])
        with service, visitor:
            replies = service.ask(CALLS)
            visitor.visit()
            served = [entry for entry in own.wait_idle() if entry.key == "mix"]
            left = {reply["request_id"] for reply in replies if reply["result"] == "left"}
            account = expected_account(served, left, RETRIES)
            way.prometheus.wait_for_value(calls_of(FAULTY), CALLS + 4 + len(ANSWERS))
            way.prometheus.evaluate(3)
            yield account, expected_answered(served, left, RETRIES)


def headline(way: Way, title: str, instance: str) -> float | None:
    board = json.loads((DASHBOARDS / "grafana" / "after200-calls.json").read_text(encoding="utf-8"))
    target, *_ = next(panel["targets"] for panel in board["panels"] if panel["title"] == title)
    expr = target["expr"].replace("$job", FAULTY).replace("$instance", instance)
    return way.prometheus.value(substituted(expr))


def test_the_headline_equals_the_fault_servers_log(way: Way, fault_run: tuple[Account, Answered]) -> None:
    account, answered = fault_run
    judged = {ending: n for ending, n in account.calls.items() if ending.outcome != "closed"}
    usable = sum(n for answer, n in answered.answers.items() if answer.kind in ("complete", "paused"))
    calls = sum(judged.values())
    claimed = sum(n for ending, n in judged.items() if ending.wire_status is not None and ending.wire_status < 400)
    completed = sum(n for ending, n in judged.items() if ending.outcome == "completed")
    hidden = sum(n for ending, n in judged.items() if ending.is_hidden)
    assert min(calls - claimed, hidden) > 0
    expected = {
        "Claimed by HTTP": claimed / calls,
        "True success rate": completed / calls,
        "The gap": hidden / calls,
        "Completed: usable": usable / answered.answers.total(),
        "Calls judged": calls,
        "Hidden failures": hidden,
    }
    instance = instance_of_the_service(way)
    assert expected == {title: headline(way, title, instance) for title in expected}


def instance_of_the_service(way: Way) -> str:
    """The instance label of the chat service, which is the only one to use its model."""
    selector = f'after200_calls_total{{job="{FAULTY}",gen_ai_request_model="claude-sonnet-4-5"}}'
    (only,) = way.prometheus.query(f"group by (instance) ({selector})")
    instance: str = only["metric"]["instance"]
    return instance


def test_no_panel_is_empty_on_the_fault_run(way: Way, fault_run: tuple[Account, Answered]) -> None:
    now = way.prometheus.now()
    empty = {query.place for query in panel_queries() if not has_data(way, query.expr, now)}
    assert empty - {PAGES} == {NEEDS_DAYS, *judged_after(0)}


def has_data(way: Way, expr: str, now: float) -> bool:
    """Whether the query gives a number somewhere in the last half minute, for the job of the fault run."""
    query = substituted(expr.replace("$job", FAULTY))
    window = {"start": str(now - 30), "end": str(now), "step": "1"}
    series: list[dict[str, Any]] = way.prometheus.get("query_range", query=query, **window)["result"]
    return any(math.isfinite(float(value)) for one in series for _, value in one["values"])


def test_no_label_goes_astray_on_the_way(way: Way, fault_run: tuple[Account, Answered]) -> None:
    """The names that Prometheus has are those that `naming` derives, and the package's own labels are all there."""
    from after200 import names
    from after200.names.prometheus import metric_labels, metric_name, metric_names, name_of_gauge_without_suffix

    for metric in names.METRICS:
        series_names = metric_names(metric)
        if way.name == "native" and metric.kind == "histogram":
            series_names = (metric_name(metric, "native"),)
        if way.name == "scrape" and metric.kind == "gauge":
            series_names = (name_of_gauge_without_suffix(metric),)
        for series in series_names:
            found = way.prometheus.get("labels", **{"match[]": f'{series}{{job="{FAULTY}"}}'})
            extra = {label for label in found if not label.startswith(("__", "otel_scope_", "service_"))}
            assert extra, series
            assert extra <= metric_labels(metric), series


@pytest.mark.parametrize("way", ["collector"], indirect=True)
def test_the_collector_keeps_every_failed_call(way: Way, fault_run: tuple[Account, Answered]) -> None:
    assert way.traces is not None
    traces = way.traces
    account, _ = fault_run
    failed = sum(n for ending, n in account.calls.items() if ending.is_error)

    def kept() -> int:
        return sum(
            span.attributes.get("after200.outcome") in ("failed", "truncated")
            and span.attributes.get("gen_ai.request.model") == "claude-sonnet-4-5"
            and span.resource.get("service.name") == FAULTY
            for span in traces.spans
        )

    assert traces.wait_for(lambda: kept() >= failed, timeout=PATIENCE_S), f"{kept()} of {failed}"
    assert kept() == failed
    assert len(traces.spans) < CALLS


@pytest.mark.parametrize("way", ["collector"], indirect=True)
def test_exemplars_lead_from_a_duration_to_the_trace_of_a_failed_call(
    way: Way, fault_run: tuple[Account, Answered]
) -> None:
    """The dots in the panel of failed calls are ids of traces that the Collector has kept."""
    assert way.traces is not None
    now = way.prometheus.now()
    query = f'gen_ai_client_operation_duration_seconds_bucket{{job="{FAULTY}",error_type!=""}}'
    found = way.prometheus.get("query_exemplars", query=query, start=str(now - 120), end=str(now))
    ids = {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}
    assert ids
    assert ids <= {span.trace_id for span in way.traces.spans}
