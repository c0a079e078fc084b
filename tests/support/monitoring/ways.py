# SPDX-License-Identifier: Apache-2.0
"""The three ways from an application to Prometheus: each as running servers, and the environment that takes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from after200.cli.receiver import Receiver

from ..ports import free_port
from .programs import program
from .servers import Prometheus, Webhook, alertmanager, collector, prometheus

HEALTHY, OVERLOADED, FAULTY = "chat-healthy", "chat-overloaded", "chat-faulty"
SERVICE, VISITOR = "chat", "visitor"


@dataclass(frozen=True)
class Way:
    """Running servers. `telemetry` is the environment by (job, application)."""

    name: str
    prometheus: Prometheus
    webhook: Webhook
    telemetry: dict[tuple[str, str], dict[str, str]]
    traces: Receiver | None = None
    logs: Receiver | None = None


APPLICATIONS = [(job, application) for job in (HEALTHY, OVERLOADED, FAULTY) for application in (SERVICE, VISITOR)]
OTLP = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}


def scrape(job: str, *targets: str, **options: Any) -> dict[str, Any]:
    return {"job_name": job, "static_configs": [{"targets": list(targets)}], **options}


@contextmanager
def through_the_collector(folder: Path, interval: str = "1s") -> Iterator[Way]:
    """OTLP to the Collector, which Prometheus scrapes every `interval` and which passes traces and log records on."""
    for name in ("otelcol", "prometheus", "prometheus-alertmanager"):
        program(name)
    with ExitStack() as stack:
        webhook, traces, logs = (stack.enter_context(one) for one in (Webhook(), Receiver(), Receiver()))
        running = collector(stack, traces.url, logs.url)
        scrapes = [scrape("collector", running.metrics, honor_labels=True)]
        alerts_to = alertmanager(stack, folder, webhook)
        exemplars = "--enable-feature=exemplar-storage"
        server = prometheus(stack, folder, alerts_to, scrapes, "prometheus", exemplars, interval=interval)
        environment = {
            **OTLP,
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_BLRP_SCHEDULE_DELAY": "100",
            "OTEL_EXPORTER_OTLP_ENDPOINT": running.otlp,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        yield Way("collector", server, webhook, dict.fromkeys(APPLICATIONS, environment), traces, logs)


@contextmanager
def scraped_directly(folder: Path) -> Iterator[Way]:
    """The Python Prometheus exporter: each process is a target."""
    for name in ("prometheus", "prometheus-alertmanager"):
        program(name)
    ports = {application: free_port() for application in APPLICATIONS}
    with ExitStack() as stack:
        webhook = stack.enter_context(Webhook())
        scrapes = [
            scrape(job, *(f"127.0.0.1:{ports[job, application]}" for application in (SERVICE, VISITOR)))
            for job in (HEALTHY, OVERLOADED, FAULTY)
        ]
        server = prometheus(stack, folder, alertmanager(stack, folder, webhook), scrapes, "prometheus")
        telemetry = {
            application: {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": str(port)}
            for application, port in ports.items()
        }
        yield Way("scrape", server, webhook, telemetry)


@contextmanager
def pushed_to_prometheus(folder: Path, name: str = "otlp", **more: str) -> Iterator[Way]:
    """Prometheus 3 and its own OTLP endpoint; `more` is added to the applications' environment."""
    for needed in ("prometheus3", "prometheus-alertmanager"):
        program(needed)
    with ExitStack() as stack:
        webhook = stack.enter_context(Webhook())
        alerts_to = alertmanager(stack, folder, webhook)
        server = prometheus(stack, folder, alerts_to, [], "prometheus3", "--web.enable-otlp-receiver")
        environment = {**OTLP, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{server.url}/api/v1/otlp/v1/metrics", **more}
        yield Way(name, server, webhook, dict.fromkeys(APPLICATIONS, environment))


def pushed_with_native_histograms(folder: Path) -> AbstractContextManager[Way]:
    """The same with exponential histograms, which Prometheus stores as native ones."""
    aggregation = {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram"}
    return pushed_to_prometheus(folder, "native", **aggregation)


WAYS = {
    "collector": through_the_collector,
    "scrape": scraped_directly,
    "otlp": pushed_to_prometheus,
    "native": pushed_with_native_histograms,
}
