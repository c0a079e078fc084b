# SPDX-License-Identifier: Apache-2.0
"""As far as the real Prometheus and the real Alertmanager, with the committed rules, and what is wrong on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from after200.cli.receiver import Receiver

from ..support.monitoring.programs import program
from ..support.monitoring.servers import Process, Prometheus, collector, eventually
from ..support.monitoring.ways import Way, scrape, scraped_directly, through_the_collector
from ..support.patience import PATIENCE_S
from ..support.ports import free_port
from .peers import web_server
from .verified import Verified, Verify

ALERTS = {"ClaudeHiddenFailures", "ClaudeOverloaded", "ClaudeTruncatedStreams"}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """Collector, Prometheus and Alertmanager with the configuration of `dashboards/stack`."""
    with through_the_collector(tmp_path_factory.mktemp("collector")) as way:
        yield way


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """Prometheus, which scrapes the process itself, and Alertmanager."""
    with scraped_directly(tmp_path_factory.mktemp("scraped")) as way:
        yield way


def alertmanager_of(way: Way) -> str:
    """Where the Prometheus of a stack sends its alerts."""
    known = lambda: way.prometheus.get("alertmanagers")["activeAlertmanagers"]  # noqa: E731
    [found] = eventually("Prometheus knows its Alertmanager", known)
    return str(found["url"]).removesuffix("/api/v2/alerts")


@pytest.mark.parametrize("stack", ["collected", "scraped"])
def test_right_as_far_as_the_alert(verify: Verify, stack: str, request: pytest.FixtureRequest) -> None:
    way: Way = request.getfixturevalue(stack)
    [*_, settings] = way.telemetry.values()
    urls = (f"--prometheus={way.prometheus.url}", f"--alertmanager={alertmanager_of(way)}")
    verified = verify(*urls, f"--timeout={PATIENCE_S}", "--signals=metrics", settings=settings)
    assert [] == verified.result["findings"]
    assert {"metrics": [True] * 5, "Prometheus": [True] * 5} == verified.recorded
    assert set(verified.result["alerts"]) & ALERTS
    assert "arrived in Prometheus, raised an alert" in verified.result["summary"]


# --- one Prometheus for each thing that can be wrong ------------------------------------------------------------------


@pytest.fixture
def start_prometheus(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start a Prometheus with these jobs, and return its URL once it scrapes."""
    with ExitStack() as stack:

        def start(*jobs: dict[str, Any], **configuration: Any) -> str:
            file = tmp_path / "prometheus.yml"
            intervals = {"scrape_interval": "1s", "evaluation_interval": "1s"}
            file.write_text(yaml.safe_dump({"global": intervals, "scrape_configs": [*jobs], **configuration}))
            port = free_port()
            command = [
                program("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ]
            stack.enter_context(Process(command, ready="Server is ready to receive web requests"))
            server = Prometheus(f"http://127.0.0.1:{port}")
            # It takes a while to find its first target, whether that is there or not.
            eventually("the first scrape", lambda: len(server.query("up")) == len(jobs), 30)
            return server.url

        yield start


@pytest.fixture
def port() -> int:
    """Where the process shows its page."""
    return free_port()


@pytest.fixture
def verify_page(verify: Verify, port: int) -> Callable[..., Verified]:
    """Verify with a page for Prometheus on that port."""

    def verified(prometheus: str, *options: str) -> Verified:
        settings = {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": str(port)}
        return verify(f"--prometheus={prometheus}", "--timeout=6", *options, settings=settings)

    return verified


def relabelled(port: int, **rule: str) -> dict[str, Any]:
    return scrape("service", f"127.0.0.1:{port}", metric_relabel_configs=[rule])


def test_a_label_is_dropped(start_prometheus: Any, verify_page: Any, port: int) -> None:
    verified = verify_page(start_prometheus(relabelled(port, action="labeldrop", regex="gen_ai_request_model")))
    assert ["prometheus_changed"] == verified.wrong
    said = verified.said("prometheus_changed")
    assert "after200_calls_total is in Prometheus, but without the label gen_ai_request_model" in said
    assert "after200_outcome" in said


def test_the_metrics_have_other_names(start_prometheus: Any, verify_page: Any, port: int) -> None:
    rule = {"source_labels": ["__name__"], "target_label": "__name__", "replacement": "shop_$1"}
    verified = verify_page(start_prometheus(relabelled(port, **rule)))  # type: ignore[arg-type]
    assert ["prometheus_changed"] == verified.wrong
    assert "shop_after200_calls_total" in verified.said("prometheus_changed")
    assert "add_metric_suffixes" in verified.said("prometheus_changed")


def test_two_jobs_scrape_the_same_process(start_prometheus: Any, verify_page: Any, port: int) -> None:
    target = f"127.0.0.1:{port}"
    # The counts of the first are right for a while, before the second scrapes.
    jobs = scrape("one", target), scrape("two", target, scrape_interval="4s")
    verified = verify_page(start_prometheus(*jobs), "--timeout=15")
    assert ["prometheus_counts"] == verified.wrong
    said = verified.said("prometheus_counts")
    assert "completed, status 200, wire status 200: 4 instead of 2" in said
    assert "do two jobs scrape the same target" in said


def test_nobody_scrapes_anything(start_prometheus: Any, verify_page: Any) -> None:
    down = free_port()
    verified = verify_page(start_prometheus(scrape("service", f"127.0.0.1:{down}")))
    assert ["prometheus_nothing"] == verified.wrong
    said = verified.said("prometheus_nothing")
    assert f"no process has after200_calls_total there; it scrapes http://127.0.0.1:{down}/metrics (down)" in said
    assert "connection refused" in said


def test_another_process_is_scraped(start_prometheus: Any, verify_page: Any) -> None:
    page = b'# TYPE after200_calls_total counter\nafter200_calls_total{gen_ai_request_model="claude"} 7\n'
    with web_server(200, page) as other:
        verified = verify_page(start_prometheus(scrape("service", f"127.0.0.1:{other}")))
    assert ["prometheus_nothing"] == verified.wrong
    said = f"other processes have after200_calls_total there; it scrapes http://127.0.0.1:{other}/metrics (up)"
    assert said in verified.said("prometheus_nothing")


def test_a_collector_that_is_scraped_without_honouring_its_labels(
    start_prometheus: Any, verify: Verify, receiver: Receiver
) -> None:
    with ExitStack() as stack:
        running = collector(stack, receiver.url, receiver.url)
        url = start_prometheus(scrape("collector", running.metrics))
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": running.otlp}
        verified = verify(f"--prometheus={url}", "--signals=metrics", settings=settings)
    assert ([], ["exported_job"]) == (verified.wrong, verified.notes)
    assert "honor_labels: true" in verified.said("exported_job")


def test_no_prometheus_is_there(verify_page: Any) -> None:
    down = free_port()
    verified = verify_page(f"http://127.0.0.1:{down}", "--timeout=1")
    assert ["backend_unreachable"] == verified.wrong
    assert "Connection refused" in verified.said("backend_unreachable")


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (200, b"[]"), (404, b"")])
def test_something_else_is_there(verify_page: Any, status: int, body: bytes) -> None:
    with web_server(status, body) as other:
        verified = verify_page(f"http://127.0.0.1:{other}", "--timeout=1")
    assert ["backend_unreachable"] == verified.wrong
    assert "without /api/..." in verified.said("backend_unreachable")


def test_the_port_of_the_page_is_taken(verify: Verify) -> None:
    with web_server(200) as taken:
        settings = {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": str(taken)}
        verified = verify(settings=settings)
    assert ["set_up_failed"] == verified.wrong
    assert "Address already in use" in verified.said("set_up_failed")
    assert "OTEL_EXPORTER_PROMETHEUS_PORT" in verified.said("set_up_failed")


def test_a_page_is_enough_without_prometheus(verify: Verify, port: int) -> None:
    verified = verify(settings={"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": str(port)})
    assert [] == verified.result["findings"]
    assert {"traces": [True] * 5, "metrics": [True] * 5} == verified.recorded


# --- alerts -----------------------------------------------------------------------------------------------------------

RULE = {"alert": "ClaudeHiddenFailures", "labels": {"severity": "warning"}}
FIRES = {**RULE, "expr": 'after200_calls_total{error_type="overloaded_error"} > 0'}
NEVER = {**RULE, "expr": "after200_calls_total > 1000"}


def rules(folder: Path, rule: dict[str, Any]) -> dict[str, Any]:
    """The part of a configuration that loads a rule."""
    file = folder / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "claude", "rules": [rule]}]}))
    return {"rule_files": [str(file)]}


@pytest.fixture
def empty_alertmanager(tmp_path: Path) -> Iterator[str]:
    """An Alertmanager that nobody sends to."""
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}))
    address = f"127.0.0.1:{free_port()}"
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={file}",
        f"--storage.path={tmp_path / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with Process(command, ready="Listening on"):
        yield f"http://{address}"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (None, "dashboards/prometheus/*.yml"),
        (NEVER, "none of them fires for this model"),
        (FIRES, "knows no Alertmanager"),
    ],
)
def test_no_alert_comes(
    start_prometheus: Any,
    verify_page: Any,
    port: int,
    tmp_path: Path,
    empty_alertmanager: str,
    rule: dict[str, Any] | None,
    said: str,
) -> None:
    configuration = rules(tmp_path, rule) if rule else {}
    url = start_prometheus(scrape("service", f"127.0.0.1:{port}"), **configuration)
    verified = verify_page(url, f"--alertmanager={empty_alertmanager}")
    assert ["no_alert"] == verified.wrong
    assert said in verified.said("no_alert")


def test_an_alert_that_goes_to_another_alertmanager(
    start_prometheus: Any, verify_page: Any, port: int, tmp_path: Path, empty_alertmanager: str
) -> None:
    other = free_port()
    receivers = {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{other}"]}]}]}
    configuration = {**rules(tmp_path, FIRES), "alerting": receivers}
    url = start_prometheus(scrape("service", f"127.0.0.1:{port}"), **configuration)
    verified = verify_page(url, f"--alertmanager={empty_alertmanager}")
    assert ["no_alert"] == verified.wrong
    assert f"It sends to http://127.0.0.1:{other}/api/v2/alerts" in verified.said("no_alert")


def test_no_alertmanager_is_there(verify: Verify, receiver: Receiver) -> None:
    down = free_port()
    verified = verify(f"--alertmanager=http://127.0.0.1:{down}", "--timeout=1")
    assert ["backend_unreachable"] == verified.wrong


def test_something_else_than_an_alertmanager_is_there(verify: Verify) -> None:
    with web_server(200, b'{"status": "fine"}') as other:
        verified = verify(f"--alertmanager=http://127.0.0.1:{other}", "--timeout=1")
    assert ["backend_unreachable"] == verified.wrong


def test_without_prometheus_a_missing_alert_stays_unexplained(verify: Verify, empty_alertmanager: str) -> None:
    verified = verify(f"--alertmanager={empty_alertmanager}", "--timeout=1")
    assert ["no_alert"] == verified.wrong
    assert "Give --prometheus as well" in verified.said("no_alert")
