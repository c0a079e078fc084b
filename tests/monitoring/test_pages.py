# SPDX-License-Identifier: Apache-2.0
"""From real calls to a page, to what it silences, and to the all-clear, through a real Prometheus and Alertmanager.

The rules are those that `after200 dashboards` writes for windows of seconds, so that minutes pass in seconds: what
scrapes and evaluations every 15 s are to windows of 1, 2 and 5 minutes, those every second are to these.

The stories happen at the same time, each to a job of its own: what costs is that rules are evaluated every second.
`make long` (AFTER200_WHOLE_GRID) has them on Prometheus 2, too, with which `test_servers.py` evaluates the rules.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from after200.faults import FaultServer
from after200.monitoring.alerts import alert_groups
from after200.monitoring.policy import Policy, with_settings
from after200.monitoring.recording import recording_groups

from ..support.monitoring.applications import ChatService
from ..support.monitoring.programs import program
from ..support.monitoring.servers import Prometheus, Webhook, alertmanager, asked, eventually, prometheus
from ..support.monitoring.ways import scrape
from ..support.patience import PATIENCE_S
from ..support.ports import free_port

IN_SECONDS = [
    "fast_window=4s",
    "middle_window=8s",
    "window=20s",
    "critical_keep=8s",
    "grafana=http://grafana.example",
]
STORM, REVOKED, DEPLOYED = "storm", "revoked", "deployed"
PODS = {STORM: 2, REVOKED: 2, DEPLOYED: 2}


@dataclass(frozen=True)
class Running:
    """A Prometheus and an Alertmanager, who is on call, and the ports on which the pods of each job are scraped."""

    prometheus: Prometheus
    alertmanager: str
    webhook: Webhook
    ports: dict[str, list[int]]

    def pod(self, job: str, number: int, api: str) -> ChatService:
        port = str(self.ports[job][number])
        identity = {"OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id={job}-{number}"}
        return ChatService(
            job, api, {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": port, **identity}
        )

    def silenced(self, job: str) -> set[tuple[str, str]]:
        """The alerts of a job that Alertmanager holds back because of another one, by name and severity."""
        alerts: list[dict[str, Any]] = asked(f"http://{self.alertmanager}/api/v2/alerts")
        return {
            (alert["labels"]["alertname"], alert["labels"]["severity"])
            for alert in alerts
            if alert["labels"].get("job") == job and alert["status"]["inhibitedBy"]
        }

    def paged(self, job: str) -> set[str]:
        """The names under which Prometheus has paged for a job so far."""
        query = (
            f'count by (alertname) (last_over_time(ALERTS{{alertstate="firing",severity="critical",job="{job}"}}[1h]))'
        )
        return {one["metric"]["alertname"] for one in self.prometheus.query(query)}

    def until(self, what: str, done: Callable[[], object], work: Callable[[], object]) -> None:
        """Work on, once for each evaluation, until it is done."""

        def look() -> object:
            work()
            self.prometheus.evaluate(1, PATIENCE_S)
            return done()

        eventually(what, look, PATIENCE_S)


VERSIONS = ("prometheus3", "prometheus") if "AFTER200_WHOLE_GRID" in os.environ else ("prometheus3",)


@pytest.fixture(scope="module", params=VERSIONS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    for name in (request.param, "prometheus-alertmanager"):
        program(name)
    folder = tmp_path_factory.mktemp(request.param)
    policy = with_settings(Policy(), IN_SECONDS)
    (folder / "rules").mkdir()
    for name, groups in (("rules", recording_groups(policy)), ("alerts", alert_groups(policy))):
        (folder / "rules" / f"{name}.yml").write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    ports = {job: [free_port() for _ in range(pods)] for job, pods in PODS.items()}
    with ExitStack() as stack:
        webhook = stack.enter_context(Webhook())
        alerts_to = alertmanager(stack, folder, webhook)
        scrapes = [scrape(job, *(f"127.0.0.1:{port}" for port in found)) for job, found in ports.items()]
        server = prometheus(stack, folder, alerts_to, scrapes, request.param, rules=folder / "rules")
        yield Running(server, alerts_to, webhook, ports)


def a_storm_inside_streams(running: Running, server: FaultServer) -> None:
    calm, stormy = (server.base_url(name, key=f"{STORM}-{name}") for name in ("completed", "api_error_mid_stream"))
    page = ("ClaudeServerErrors", "critical")
    with running.pod(STORM, 0, calm) as healthy, running.pod(STORM, 1, stormy) as failing:
        running.until("calls are judged", lambda: judged(running, STORM) >= 20, lambda: healthy.ask(10))
        assert running.paged(STORM) == set()

        def a_third_fails() -> None:
            healthy.ask(8)
            failing.ask(4)

        running.until("a page", lambda: page in running.webhook.came(STORM), a_third_fails)
        assert running.webhook.came(STORM)[page]["annotations"]["dashboard_url"].startswith("http://grafana.example/d/")
        # The failures hide behind a 200, too: who is on call knows already.
        hidden = ("ClaudeHiddenFailures", "warning")
        running.until("silence", lambda: hidden in running.silenced(STORM), a_third_fails)
        cleared = running.webhook
        running.until("all-clear", lambda: page in cleared.came(STORM, "resolved"), lambda: healthy.ask(10))
    assert running.paged(STORM) == {"ClaudeServerErrors"}


def a_revoked_key(running: Running, server: FaultServer) -> None:
    valid, revoked = (server.base_url(name, key=f"{REVOKED}-{name}") for name in ("completed", "http_401"))
    page = ("ClaudeCallsRejected", "critical")
    with running.pod(REVOKED, 0, valid) as before, running.pod(REVOKED, 1, revoked) as after:
        running.until("calls are judged", lambda: judged(running, REVOKED) >= 20, lambda: before.ask(10))
        running.until("a page", lambda: page in running.webhook.came(REVOKED), lambda: after.ask(8))
        running.until("silence", lambda: ("ClaudeDown", "critical") in running.silenced(REVOKED), lambda: after.ask(8))
        cleared = running.webhook
        running.until("all-clear", lambda: page in cleared.came(REVOKED, "resolved"), lambda: before.ask(10))
    assert running.paged(REVOKED) == {"ClaudeCallsRejected", "ClaudeDown"}


def a_deploy(running: Running, server: FaultServer) -> None:
    api = server.base_url("completed", key=DEPLOYED)
    with running.pod(DEPLOYED, 0, api) as old:
        running.until("calls are judged", lambda: judged(running, DEPLOYED) >= 20, lambda: old.ask(10))
    with running.pod(DEPLOYED, 1, api) as new:
        seen = f'sum(after200_calls_total{{job="{DEPLOYED}",instance="127.0.0.1:{running.ports[DEPLOYED][1]}"}})'
        running.until("the new pod is seen", lambda: (running.prometheus.value(seen) or 0) >= 60, lambda: new.ask(10))
    assert running.paged(DEPLOYED) == set()
    assert running.webhook.came(DEPLOYED) == {}


def judged(running: Running, job: str) -> float:
    """The calls of a job that the rules judge in the long window."""
    return running.prometheus.value(f'model:after200_calls_judged:increase20s{{job="{job}"}}') or 0.0


Story = Callable[[Running, FaultServer], None]
Stories = dict[Story, Future[None]]


@pytest.fixture(scope="module")
def stories(running: Running, server: FaultServer) -> Iterator[Stories]:
    """The stories, each of which ends as it should, or raises what was wrong."""
    with ThreadPoolExecutor() as pool:
        yield {
            story: pool.submit(story, running, server) for story in (a_storm_inside_streams, a_revoked_key, a_deploy)
        }


def test_a_storm_inside_streams_pages_once_and_is_cleared(stories: Stories) -> None:
    stories[a_storm_inside_streams].result()


def test_a_revoked_key_pages_as_such_silences_what_is_general_and_is_cleared(stories: Stories) -> None:
    stories[a_revoked_key].result()


def test_a_deploy_pages_nobody(stories: Stories) -> None:
    stories[a_deploy].result()
