# SPDX-License-Identifier: Apache-2.0
"""The stack: what its page tells people to run arrives, through the real Collector as it is shipped."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from after200 import names
from after200.cli.chat import find_instrument_command
from after200.cli.receiver import Receiver
from after200.faults import FaultServer
from after200.names.prometheus import metric_name

from ..support.monitoring.programs import DASHBOARDS
from ..support.monitoring.servers import STACK, Collector, collector

SERVICE = """
import anthropic

for chunk in anthropic.Anthropic(max_retries=0).messages.create(
    model="claude-sonnet-5", max_tokens=64, stream=True, messages=[{"role": "user", "content": "Hello?"}]
):
    pass
"""
COMPOSE: dict[str, Any] = yaml.safe_load((STACK / "compose.yaml").read_text(encoding="utf-8"))
COLLECTOR: dict[str, Any] = yaml.safe_load((STACK / "collector/collector.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Sent:
    """What arrived behind the Collector from the service that was run as the page says."""

    output: str
    metrics: str
    traces: Receiver
    logs: Receiver


def command_of_the_page() -> tuple[dict[str, str], list[str]]:
    """The environment and the words of the command that sends a service's telemetry to the stack."""
    page = (DASHBOARDS / "README.md").read_text(encoding="utf-8")
    section = page.split("## The stack")[1].split("\n## ")[0]
    (block,) = re.findall(r"((?:^ *[A-Z_]+=.*\\\n)*^ *opentelemetry-instrument .*)\n", section, re.M)
    words = shlex.split(block.replace("\\\n", " "))
    settings = [word for word in words if re.match(r"[A-Z_]+=", word)]
    return dict(word.split("=", 1) for word in settings), words[len(settings) :]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """The page's command, run with a service of our own and the port of the Collector of this test."""
    environment, (instrument, python, script) = command_of_the_page()
    assert ("opentelemetry-instrument", "python", "your_service.py") == (instrument, python, script)
    assert environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://localhost:4318"
    service = tmp_path_factory.mktemp("stack") / script
    service.write_text(SERVICE, encoding="utf-8")
    with ExitStack() as stack:
        traces, logs = stack.enter_context(Receiver()), stack.enter_context(Receiver())
        running = collector(stack, traces.url, logs.url)
        server = stack.enter_context(FaultServer())
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        finished = subprocess.run(
            [find_instrument_command(), sys.executable, str(service)],
            env={
                **inherited,
                **environment,
                "OTEL_EXPORTER_OTLP_ENDPOINT": running.otlp,
                "ANTHROPIC_BASE_URL": server.base_url("overloaded_error_mid_stream"),
                "ANTHROPIC_API_KEY": "no-key-is-needed",
                "NO_PROXY": "127.0.0.1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert logs.wait_for(lambda: bool(logs.logs), timeout=20), finished.stdout
        assert traces.wait_for(lambda: bool(traces.spans), timeout=20), finished.stdout
        yield Sent(finished.stdout, scraped(running), traces, logs)


def scraped(running: Collector) -> str:
    with urllib.request.urlopen(f"http://{running.metrics}/metrics", timeout=10) as response:
        text: str = response.read().decode()
    return text


def test_nothing_of_the_services_telemetry_is_refused(sent: Sent) -> None:
    assert "overloaded_error" in sent.output, sent.output
    assert not re.search(r"Failed to export|Configuration of .* failed|not found", sent.output), sent.output
    assert ([], []) == (sent.traces.rejected, sent.logs.rejected)


def test_calls_are_counted_under_the_name_of_the_service(sent: Sent) -> None:
    failed = [line for line in sent.metrics.splitlines() if 'error_type="overloaded_error"' in line]
    calls = [
        line for line in failed if line.startswith(metric_name(names.CALLS)) and 'after200_phase="mid_stream"' in line
    ]
    assert [1.0] == [float(line.rpartition("} ")[2].split()[0]) for line in calls], failed
    assert 'job="my-service"' in calls[0]


def test_the_log_record_arrives_with_its_attributes_in_the_trace_of_its_call(sent: Sent) -> None:
    (span,) = [span for span in sent.traces.spans if names.OUTCOME in span.attributes]
    (record,) = sent.logs.logs
    request_id = record.attributes[names.ANTHROPIC_REQUEST_ID]
    assert {
        names.OPERATION_NAME: "chat",
        names.PROVIDER_NAME: "anthropic",
        names.REQUEST_MODEL: "claude-sonnet-5",
        names.PHASE: "mid_stream",
        names.EXCEPTION_TYPE: record.attributes[names.EXCEPTION_TYPE],  # versions of the SDK differ in its module
        names.EXCEPTION_MESSAGE: "Overloaded",
        names.ERROR_TYPE: "overloaded_error",
        names.FAILURE: "overloaded",
        names.HTTP_STATUS: 529,
        names.WIRE_STATUS: 200,
        names.ANTHROPIC_REQUEST_ID: request_id,
    } == record.attributes
    assert str(request_id).startswith("req_")
    assert (names.EXCEPTION_EVENT, span.trace_id, span.span_id) == (record.event_name, record.trace_id, record.span_id)
    assert record.resource["service.name"] == "my-service"


def test_every_signal_that_the_collector_receives_leaves_it_for_a_service_of_the_stack() -> None:
    pipelines = COLLECTOR["service"]["pipelines"]
    assert {"metrics", "traces", "logs"} == set(pipelines)
    assert all(pipeline["receivers"] == ["otlp"] for pipeline in pipelines.values())
    exporters = COLLECTOR["exporters"]
    ends = [re.search(r"http://(\w+):", exporters[name]["endpoint"]) for name in exporters if name != "prometheus"]
    assert {"tempo", "loki"} == {end[1] for end in ends if end}
    assert {"tempo", "loki"} <= COMPOSE["services"].keys()


def test_every_service_is_asked_whether_it_is_ready_before_grafana_starts() -> None:
    services = COMPOSE["services"]
    asked = {name for name, service in services.items() if "healthcheck" in service}
    checks = " ".join(word for name in asked for word in services[name]["healthcheck"]["test"])
    beside = {name for name in services if f"http://{name}:" in checks}
    assert {"ready"} | (services.keys() - {"ready"}) == asked | beside
    assert started_before("grafana") == services.keys() - {"grafana"}


def started_before(service: str) -> set[str]:
    """Every service that one waits for, directly or through others."""
    direct = set(COMPOSE["services"][service].get("depends_on", {}))
    return direct | {other for name in direct for other in started_before(name)}


def test_links_of_data_sources_lead_to_data_sources_that_are_there() -> None:
    text = (STACK / "grafana/provisioning/datasources/after200.yaml").read_text(encoding="utf-8")
    sources = {source["uid"]: source for source in yaml.safe_load(text)["datasources"]}
    assert {"prometheus", "tempo", "loki"} == set(sources)
    assert set(re.findall(r"datasourceUid: (\w+)", text)) == {"prometheus", "tempo", "loki"}
    assert COMPOSE["services"]["grafana"]["environment"]["GF_AUTH_ANONYMOUS_ORG_ROLE"] in ("Editor", "Admin")
