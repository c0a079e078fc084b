# SPDX-License-Identifier: Apache-2.0
"""Every command and program that the documentation shows is run, and does what the page says it does."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import metadata
from pathlib import Path

import promql_parser
import pytest

from after200 import names
from after200.cli.receiver import Receiver
from after200.faults import FaultServer

from ..support.monitoring.ways import scraped_directly
from ..support.patience import PATIENCE_S
from ..support.ports import free_port
from .pages import ROOT, Block, blocks
from .programs import environment, run, wait_until_open

ELSEWHERE = ("neighbours.md", "cost.md", "compatibility.md", "report.md", "kubernetes.md", "without-the-sdk.md")
"""Pages whose commands have tests beside what they speak of."""

RUN_BELOW = (
    ("index.md", "pip install"),
    ("index.md", "OTEL_SERVICE_NAME"),
    ("index.md", "AnthropicInstrumentor"),
    ("index.md", "after200 verify"),
    ("index.md", "after200 faults"),
    ("index.md", "ANTHROPIC_BASE_URL"),
    ("settings.md", "correct_exceptions=True"),
    ("settings.md", "METRIC_BAGGAGE"),  # in test_servers.py
    ("settings.md", "fastapi/app.py"),  # there too
    ("setup.md", "OTEL_SERVICE_NAME"),
    ("setup.md", "OTEL_LOGS_EXPORTER"),
    *(
        ("setup.md", f"{name}.py") for name in ("telemetry", "gunicorn.conf", "fastapi_app", "asgi", "tasks")
    ),  # there too
    *(("setup.md", f"^{name} ") for name in ("gunicorn", "uvicorn", "celery")),  # there too
    ("retry.md", r"print\(classify"),
    *(("retry.md", f"{name}.py") for name in ("retry", "fallback", "circuit_breaker", "tenant")),
    ("retry.md", "^pytest examples"),
    ("dashboards.md", "after200 dashboards"),
    ("what-wakes-you.md", "after200 dashboards"),
    ("verify.md", "^after200 verify$"),
    ("verify.md", "--prometheus"),
    ("verify.md", "^after200 verify --setup"),
    ("verify.md", "^opentelemetry-instrument"),
    ("watch.md", "^after200 watch$"),
    ("watch.md", "OTEL_METRIC_EXPORT_INTERVAL"),
    ("watch.md", "--once"),
    ("testing.md", "after200 faults"),
    ("testing.md", "pip install"),
    ("testing.md", "answer.py"),
    ("testing.md", "test_answer.py"),
    ("testing.md", "^pytest"),
    ("testing.md", "^OTEL_INSTRUMENTATION"),
)
"""Page, and what the block holds that no other block there does; the tests below find it by that."""

SETUP = """
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from after200 import AnthropicInstrumentor


def set_up():
    if not hasattr(trace.get_tracer_provider(), "add_span_processor"):
        tracer_provider = TracerProvider()
        tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(tracer_provider)
        metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))
        AnthropicInstrumentor().instrument()
"""


def holds(block: Block, page: str, holding: str) -> bool:
    if block.page != page:
        return False
    if holding.endswith(".py"):
        return re.search(rf'/{holding}"', block.text) is not None
    return re.search(holding, block.text, re.M) is not None


def block(page: str, holding: str) -> str:
    [found] = [each.text for each in blocks("sh", "python") if holds(each, page, holding)]
    return found


@contextmanager
def faults(command: str) -> Iterator[str]:
    """Run the command that starts a fault server, on any free port; its URL."""
    words = command.replace("--port 8529", "--port 0").split()
    with subprocess.Popen(
        words, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def otlp(receiver: Receiver) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}


def test_every_block_is_run_by_a_test() -> None:
    ours = [each for each in blocks("sh", "python") if each.page not in ELSEWHERE]
    covered = [[(page, text) for page, text in RUN_BELOW if holds(each, page, text)] for each in ours]
    assert sorted([entry] for entry in RUN_BELOW) == sorted(covered)


@pytest.mark.variants(covers=lambda page: ["pip"])
@pytest.mark.parametrize("page", ["index.md", "testing.md"])
def test_pip_can_install_what_is_installed(page: str) -> None:
    """The installation itself is a step of .ci/run; here, that pip takes the line and that there are such extras."""
    line = block(page, "pip install").replace("'after200[", "'.[").replace("'", "").split()
    assert ["python", "-m", "pip", "install"] == line[:4]
    finished = run([sys.executable, *line[1:], "--dry-run", "--no-deps", "--ignore-installed", "--quiet"], ROOT)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    extras = set(re.findall(r"\[(\w+)\]", " ".join(line)))
    assert extras <= set(metadata("after200").get_all("Provides-Extra") or ())


@pytest.mark.variants(covers=lambda page: ["a service"])
@pytest.mark.parametrize("page", ["index.md", "setup.md"])
def test_a_service_is_instrumented_without_touching_its_code(page: str, app: Path, receiver: Receiver) -> None:
    script = block(page, "OTEL_SERVICE_NAME").replace("http://localhost:4318", receiver.url)
    with FaultServer() as server:
        url = server.base_url("completed")
        finished = run(["bash", "-euc", script], app, "What is entropy?\n", ANTHROPIC_BASE_URL=url)
    assert 0 == finished.returncode, finished.stderr
    assert "chat-service" in {span.resource["service.name"] for span in receiver.spans}


def test_the_console_shows_all_three_signals(app: Path) -> None:
    with FaultServer() as server:
        url = server.base_url("overloaded_error_mid_stream")
        script = block("setup.md", "OTEL_LOGS_EXPORTER")
        finished = run(["bash", "-euc", script], app, "What is entropy?\n", ANTHROPIC_BASE_URL=url)
    assert 0 == finished.returncode, finished.stderr
    for shown in ('"after200.outcome": "failed"', '"name": "after200.calls"', names.EXCEPTION_EVENT):
        assert shown in finished.stdout


def test_classify_says_what_the_page_shows() -> None:
    [shown] = [each.text for each in blocks("text") if each.page == "retry.md"]
    with FaultServer() as server:
        url = server.base_url("overloaded_error_mid_stream")
        finished = run([sys.executable, "-c", block("retry.md", r"print\(classify")], ANTHROPIC_BASE_URL=url)
    assert (0, shown) == (finished.returncode, finished.stdout), finished.stderr


def test_the_examples_of_error_handling_pass(tmp_path: Path) -> None:
    folder = "examples/error_handling"
    shutil.copytree(ROOT / folder, tmp_path / folder)
    assert {f"{folder}/{file.name}" for file in (ROOT / folder).glob("[!t]*.py")} | {f"{folder}/tenant.py"} == {
        path for each in blocks("python") for path in re.findall(r'"(examples/error_handling/\w+\.py)"', each.text)
    }
    finished = run(["bash", "-euc", block("retry.md", "^pytest examples").splitlines()[1]], tmp_path)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    assert "failed" not in finished.stdout


def test_a_service_that_sets_up_opentelemetry_calls_one_line_more() -> None:
    program = (
        block("index.md", "AnthropicInstrumentor") + "print(AnthropicInstrumentor().is_instrumented_by_opentelemetry)"
    )
    finished = run([sys.executable, "-c", program])
    assert (0, "True\n") == (finished.returncode, finished.stdout), finished.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no release of grafana-foundation-sdk supports this Python")
def test_dashboards_are_written_with_other_numbers(tmp_path: Path) -> None:
    finished = run(["bash", "-euc", block("dashboards.md", "after200 dashboards")], tmp_path)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    alerts = (tmp_path / "my-monitoring/prometheus/after200.alerts.yml").read_text(encoding="utf-8")
    assert "14.4 * 0.005" in alerts
    assert "dashboard_url: https://grafana.example.com/d/after200-calls?viewPanel=" in alerts


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no release of grafana-foundation-sdk supports this Python")
def test_alerts_are_written_with_the_numbers_of_another_policy(tmp_path: Path) -> None:
    command = block("what-wakes-you.md", "after200 dashboards")
    finished = run(["bash", "-euc", command], tmp_path)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    rules, alerts = (
        (tmp_path / f"my-monitoring/prometheus/after200.{kind}.yml").read_text(encoding="utf-8")
        for kind in ("rules", "alerts")
    )
    assert "evidence=3 --set rejected_critical=0.2 --set warning_failures=3" in command
    assert "increase1m - 3 * sqrt(" in rules
    assert re.search(r'symptom[^"]*"rejected"} > 0\.2 ', rules)
    assert 'increase5m{symptom="overloaded"} >= 3' in alerts


@pytest.mark.variants(covers=lambda page, holding: ["verify"])
@pytest.mark.parametrize(("page", "holding"), [("index.md", "after200 verify"), ("verify.md", "^after200 verify$")])
def test_verify_says_right(page: str, holding: str, tmp_path: Path, otlp: dict[str, str]) -> None:
    finished = run(["bash", "-euc", block(page, holding)], tmp_path, **otlp)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    assert finished.stdout.rstrip().splitlines()[-1].startswith("Right: ")


def test_verify_follows_to_prometheus_and_alertmanager(tmp_path: Path) -> None:
    with scraped_directly(tmp_path) as way:
        [*_, settings] = way.telemetry.values()
        urls: list[str] = []
        while not urls:
            urls = [entry["url"] for entry in way.prometheus.get("alertmanagers")["activeAlertmanagers"]]
        script = block("verify.md", "--prometheus").replace("http://localhost:9090", way.prometheus.url)
        script = script.replace("http://localhost:9093", urls[0].removesuffix("/api/v2/alerts"))
        console = {"OTEL_TRACES_EXPORTER": "console", "OTEL_LOGS_EXPORTER": "none"}
        finished = run(["bash", "-euc", script], tmp_path, **settings, **console)
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    assert "arrived in Prometheus, raised an alert" in finished.stdout


@pytest.mark.repeats("verify/test_setup.py")
@pytest.mark.parametrize("holding", ["^after200 verify --setup", "^opentelemetry-instrument"])
def test_verify_takes_a_set_up(holding: str, tmp_path: Path, otlp: dict[str, str]) -> None:
    (tmp_path / "my_service").mkdir()
    (tmp_path / "my_service" / "telemetry.py").write_text(SETUP, encoding="utf-8")
    finished = run(["bash", "-euc", block("verify.md", holding)], tmp_path, **otlp)
    assert 0 == finished.returncode, finished.stdout + finished.stderr


def test_a_service_is_seen_to_fail(app: Path, receiver: Receiver, otlp: dict[str, str]) -> None:
    with faults(block("index.md", "after200 faults")) as url:
        script = block("index.md", "ANTHROPIC_BASE_URL").replace("http://127.0.0.1:8529", url)
        run(["bash", "-euc", script], app, "What is entropy?\n", OTEL_SERVICE_NAME="fails", **otlp)
    spans = [span.attributes for span in receiver.spans if span.resource["service.name"] == "fails"]
    said = {
        (span.get(names.ERROR_TYPE), span.get(names.HTTP_STATUS), span[names.OUTCOME])
        for span in spans
        if names.OUTCOME in span
    }
    assert {("overloaded_error", 529, "failed")} == said


@pytest.mark.variants(covers=lambda holding: ["watch"])
@pytest.mark.parametrize("holding", ["^after200 watch$", "--once"])
def test_watch_shows_a_service_without_a_backend(holding: str, app: Path) -> None:
    port = free_port()
    # Long enough on any machine: the signal ends it when the service has exported.
    words = block("watch.md", holding).replace("--once 30", "--once 3600").split()
    with (
        FaultServer() as server,
        subprocess.Popen(
            [*words, f"--port={port}"],
            env=environment({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as watching,
    ):
        try:
            wait_until_open(port)
            settings = {"ANTHROPIC_BASE_URL": server.base_url("overloaded_error_mid_stream")}
            settings |= {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
            finished = run(
                ["bash", "-euc", block("watch.md", "EXPORT_INTERVAL")], app, "What is entropy?\n", **settings
            )
            watching.send_signal(signal.SIGTERM)
            shown = watching.communicate(timeout=PATIENCE_S)[0]
        finally:
            watching.kill()
    assert 0 == finished.returncode, finished.stderr
    assert 0 == watching.returncode
    assert "overloaded_error" in shown
    assert json.loads(shown)["hidden"] == 1 if "--json" in words else "HTTP says 1 of 1 succeeded; 0 did." in shown


def test_a_mix_is_played(app: Path) -> None:
    with faults(block("testing.md", "after200 faults")) as url:
        finished = run([sys.executable, "app.py"], app, "What is entropy?\n", ANTHROPIC_BASE_URL=f"{url}/mix")
    assert 0 == finished.returncode, finished.stderr
    assert '"result": "answered"' in finished.stdout


def test_corrected_exceptions_are_what_the_page_says() -> None:
    program = block("settings.md", "correct_exceptions=True")
    [_, comment] = re.findall(r"# (\w+ \d+), in place of (\w+ \d+)", program)[0]
    with FaultServer() as server:
        url = server.base_url("overloaded_error_mid_stream")
        corrected = run([sys.executable, "-c", program], ANTHROPIC_BASE_URL=url)
        plain = program.replace("correct_exceptions=True", "")
        uncorrected = run([sys.executable, "-c", plain], ANTHROPIC_BASE_URL=url)
    assert ("OverloadedError 529", comment) == (corrected.stdout.strip(), uncorrected.stdout.strip()), corrected.stderr


def test_the_example_s_files_are_those_in_the_repository() -> None:
    for name in ("answer.py", "test_answer.py"):
        [path] = re.findall(r'"(examples/retry/\w+\.py)"', block("testing.md", name))
        assert (ROOT / path).is_file()


@pytest.mark.repeats("plugin/test_plugin.py")
@pytest.mark.parametrize(("holding", "status"), [("^pytest", 1), ("^OTEL_INSTRUMENTATION", 0)])
def test_the_example_fails_and_then_passes(holding: str, status: int, tmp_path: Path) -> None:
    for name in ("answer.py", "test_answer.py"):
        [path] = re.findall(r'"(examples/retry/\w+\.py)"', block("testing.md", name))
        shutil.copy(ROOT / path, tmp_path / name)
    finished = run(["bash", "-euc", block("testing.md", holding)], tmp_path)
    assert status == finished.returncode, finished.stdout + finished.stderr
    assert "1 failed" in finished.stdout or "1 passed" in finished.stdout


@pytest.mark.parametrize(("folder", "status"), [("retry", 1), ("error_handling", 0)])
def test_the_examples_run_in_a_checkout_without_the_plugins_of_its_own_tests(folder: str, status: int) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:asyncio", "-p", "no:cacheprovider", f"examples/{folder}"]
    finished = run(command, ROOT)
    assert status == finished.returncode, finished.stdout + finished.stderr
    assert "Unknown config option" not in finished.stdout + finished.stderr


def test_queries_can_be_parsed_and_ask_for_names_there_are() -> None:
    known = {names.CALLS.name, *names.CALLS.attributes}
    for query in blocks("promql"):
        promql_parser.parse(query.text)
        asked = set(re.findall(r"after200_\w+", query.text))
        assert asked <= {name.replace(".", "_") for name in known} | {"after200_calls_total"}


def test_the_changelog_s_queries_can_be_parsed_and_ask_for_names_there_are() -> None:
    rows = re.findall(r"^\| .* \|$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    queries = [query.replace("\\|", "|") for row in rows for query in re.findall(r"`([^`]*after200_[^`]*)`", row)]
    assert queries
    recorded = {name.replace(".", "_") for metric in names.METRICS for name in (metric.name, *metric.attributes)}
    for query in queries:
        promql_parser.parse(query)
        asked = {re.sub(r"_(total|seconds_count)$", "", name) for name in re.findall(r"after200_\w+", query)}
        assert asked <= recorded, query
