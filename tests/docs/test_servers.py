# SPDX-License-Identifier: Apache-2.0
"""The servers of the page `setup.md`: each worker reports for itself, and nothing of what it counted is lost."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import yaml

from after200 import names
from after200.cli.otlp import Span
from after200.cli.receiver import Receiver
from after200.faults import FaultServer
from after200.settings import PREFIX, Settings

from ..support.patience import PATIENCE_S
from ..support.ports import free_port
from .pages import ROOT, blocks
from .programs import environment, wait_until_open

OVERLOADED = {names.ERROR_TYPE: "overloaded_error", names.HTTP_STATUS: 529, names.WIRE_STATUS: 200}
CALLS = 6


def command(program: str) -> list[str]:
    [found] = [each.text for each in blocks("sh") if each.page == "setup.md" and each.text.startswith(f"{program} ")]
    return found.split()


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "examples" / "servers", tmp_path / "servers"))


@contextmanager
def running(words: list[str], folder: Path, **settings: str) -> Iterator[None]:
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            words if "/" in words[0] else [sys.executable, "-m", *words],
            cwd=folder,
            env=environment(settings),
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            finally:
                print(log.read_text(encoding="utf-8", errors="replace"))


def ask(url: str) -> None:
    """Sends requests that fail inside, once the server answers."""
    deadline = time.monotonic() + PATIENCE_S
    served = 0
    while served < CALLS:
        try:
            urlopen(url, timeout=PATIENCE_S)
        except ConnectionError:
            pass
        except OSError as error:
            if isinstance(getattr(error, "reason", None), ConnectionError):
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.1)
                continue
            served += 1


def settings(receiver: Receiver, faults: FaultServer) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "ANTHROPIC_BASE_URL": faults.base_url("overloaded_error_mid_stream"),
    }


@pytest.mark.variants(covers=lambda program, port_option: ["workers"])
@pytest.mark.parametrize(("program", "port_option"), [("gunicorn", "--bind=127.0.0.1:"), ("uvicorn", "--port=")])
def test_every_worker_of_a_web_server_reports_for_itself(program: str, port_option: str, service: Path) -> None:
    pytest.importorskip(program)
    port = free_port()
    words = [*command(program)[:1], f"{port_option}{port}", *command(program)[1:]]
    with Receiver() as receiver, FaultServer() as faults:
        with running(words, service, **settings(receiver, faults)):
            ask(f"http://127.0.0.1:{port}/")
        assert receiver.wait_for(lambda: receiver.total(names.CALLS.name, OVERLOADED) == CALLS, timeout=PATIENCE_S)
        assert CALLS == len([span for span in receiver.spans if span.attributes.get(names.OUTCOME) == "failed"])
        instances = {span.resource["service.instance.id"] for span in receiver.spans}
        assert 1 <= len(instances) <= 2


def test_a_service_of_fastapi_reports_before_it_ends(service: Path) -> None:
    pytest.importorskip("fastapi")
    port = free_port()
    with Receiver() as receiver, FaultServer() as faults:
        with running(["uvicorn", f"--port={port}", "fastapi_app:app"], service, **settings(receiver, faults)):
            ask(f"http://127.0.0.1:{port}/")
        assert receiver.wait_for(lambda: receiver.total(names.CALLS.name, OVERLOADED) == CALLS, timeout=PATIENCE_S)


FLUSHED = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_INSTRUMENTATION_AFTER200_FLUSH_ON_SIGTERM": "true",
    # Nothing leaves the process before it ends.
    "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
    "OTEL_BSP_SCHEDULE_DELAY": "3600000",
}
BARE_ASGI = """
import anthropic

async def app(scope, receive, send):
    assert scope["type"] == "http"
    async with anthropic.AsyncAnthropic(max_retries=0).messages.stream(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}]
    ) as stream:
        await stream.get_final_text()
"""


@pytest.mark.variants(covers=lambda words: [name for name in ("uvicorn", "gunicorn") if name in words])
@pytest.mark.parametrize(
    "words",
    [
        "uvicorn app:app --port=",
        "gunicorn web:app --worker-class=sync --bind=127.0.0.1:",
        "gunicorn web:app --worker-class=gthread --threads=2 --bind=127.0.0.1:",
        "gunicorn app:app --worker-class=uvicorn.workers.UvicornWorker --bind=127.0.0.1:",
    ],
)
def test_a_server_that_is_instrumented_from_outside_exports_what_is_left_when_it_is_stopped(
    words: str, service: Path
) -> None:
    (service / "app.py").write_text(BARE_ASGI, encoding="utf-8")
    port = free_port()
    command = [str(Path(sys.executable).with_name("opentelemetry-instrument")), *f"{words}{port}".split()]
    with Receiver() as receiver, FaultServer() as faults:
        with running(command, service, **settings(receiver, faults), **FLUSHED):
            ask(f"http://127.0.0.1:{port}/")
        assert receiver.wait_for(lambda: receiver.total(names.CALLS.name, OVERLOADED) == CALLS, timeout=PATIENCE_S)
        assert CALLS == len(spans_of_calls(receiver))


def fastapi_in_the_readme() -> list[str]:
    """How the README starts the service, and how it asks it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^```sh\n(.*?)^```$", readme, re.M | re.S)
    return [text for text in found if "METRIC_BAGGAGE" in text or "curl" in text]


def test_fastapi_says_whose_calls_fail(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    shutil.copy(ROOT / "examples" / "fastapi" / "app.py", tmp_path)
    [script] = [each.text for each in blocks("sh") if "METRIC_BAGGAGE" in each.text]
    exports = dict(re.findall(r"^export (\w+)=(.*)$", script, re.M))
    *_, last = script.splitlines()
    assert "opentelemetry-instrument uvicorn app:app" == last
    started, asked = fastapi_in_the_readme()
    assert f"cp examples/fastapi/app.py app.py\n{script}" == started
    assert "curl -H 'x-tenant: acme' http://127.0.0.1:8000/answer/entropy\n" == asked
    port = free_port()
    words = [str(Path(sys.executable).with_name("opentelemetry-instrument")), *last.split()[1:], f"--port={port}"]
    with Receiver() as receiver, FaultServer(mix={"overloaded": 0.5}, seed=7) as faults:
        soon = {"OTEL_METRIC_EXPORT_INTERVAL": "200", "OTEL_BSP_SCHEDULE_DELAY": "200"}
        given = settings(receiver, faults) | exports | soon
        given |= {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "ANTHROPIC_BASE_URL": faults.base_url("mix")}
        with running(words, tmp_path, **given):
            wait_until_open(port)
            for number in range(8):
                tenant = {"x-tenant": f"tenant-{number % 2}"}
                with suppress(OSError, HTTPException):
                    urlopen(
                        Request(f"http://127.0.0.1:{port}/answer/entropy", headers=tenant), timeout=PATIENCE_S
                    ).read()
            expected = expected_calls(faults)
            assert receiver.wait_for(lambda: expected == calls_by_tenant(receiver), timeout=PATIENCE_S)
            assert receiver.wait_for(lambda: len(spans_of_calls(receiver)) == 8, timeout=PATIENCE_S)
    assert {("tenant-0", "/answer/{topic}"), ("tenant-1", "/answer/{topic}")} == {
        (span.attributes["tenant.id"], span.attributes["app.route"]) for span in spans_of_calls(receiver)
    }
    assert {"failed", "completed"} == {outcome for _, outcome in expected}


def spans_of_calls(receiver: Receiver) -> list[Span]:
    """The spans of calls: FastAPI makes spans of its own."""
    return [span for span in receiver.spans if names.OUTCOME in span.attributes]


def expected_calls(faults: FaultServer) -> Counter[tuple[str, str]]:
    """The calls by tenant, who took turns, and by their outcome."""
    return Counter(
        (f"tenant-{number % 2}", "failed" if entry.failure else "completed") for number, entry in enumerate(faults.log)
    )


def calls_by_tenant(receiver: Receiver) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for point in receiver.points(names.CALLS.name):
        if point.value:
            found[str(point.attributes.get("tenant.id")), str(point.attributes[names.OUTCOME])] += int(point.value)
    return found


@pytest.mark.repeats("context/test_fork.py")
def test_the_workers_of_celery_report_before_they_end(service: Path) -> None:
    pytest.importorskip("celery")
    (service / "queue").mkdir()
    (service / "queue_config.py").write_text(
        "broker_url = 'filesystem://'\n"
        "folders = ('data_folder_in', 'data_folder_out', 'control_folder')\n"
        "broker_transport_options = dict.fromkeys(folders, 'queue')\n"
        "worker_enable_remote_control = False\n",
        encoding="utf-8",
    )
    with Receiver() as receiver, FaultServer() as faults:
        given = settings(receiver, faults) | {"CELERY_CONFIG_MODULE": "queue_config"}
        send = "import tasks\nfor _ in range(6): tasks.ask.delay()"
        subprocess.run(
            [sys.executable, "-c", send], cwd=service, env=environment(given), timeout=PATIENCE_S, check=True
        )
        with running(command("celery"), service, **given):
            assert faults.wait_for(lambda log: len(log) >= CALLS, timeout=PATIENCE_S)
        assert receiver.wait_for(lambda: receiver.total(names.CALLS.name, OVERLOADED) == CALLS, timeout=PATIENCE_S)


def test_a_service_is_instrumented_with_the_environment_of_the_operator(app: Path) -> None:
    manifests = [yaml.safe_load(each.text) for each in blocks("yaml") if each.page == "setup.md"]
    [instrumentation] = [manifest for manifest in manifests if manifest["kind"] == "Instrumentation"]
    given = {entry["name"]: entry["value"] for entry in instrumentation["spec"]["python"]["env"]}
    assert {name for name in given if name.startswith(PREFIX)} <= {PREFIX + name.upper() for name in vars(Settings())}
    [deployment] = [manifest for manifest in manifests if manifest["kind"] == "Deployment"]
    assert (
        "true"
        == deployment["spec"]["template"]["metadata"]["annotations"]["instrumentation.opentelemetry.io/inject-python"]
    )
    import opentelemetry.instrumentation.auto_instrumentation as injected

    with Receiver() as receiver, FaultServer() as faults:
        given |= settings(receiver, faults) | {
            "OTEL_SERVICE_NAME": deployment["metadata"]["name"],
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "PYTHONPATH": str(Path(injected.__file__ or "").parent),
        }
        subprocess.run(
            [sys.executable, "app.py"],
            cwd=app,
            env=environment(given),
            input=b"Hello?\n",
            timeout=PATIENCE_S,
            check=False,
        )
        assert 1 == receiver.total(names.CALLS.name, OVERLOADED)
        assert {"chat-service"} == {span.resource["service.name"] for span in receiver.spans}


def test_the_page_includes_every_file_of_the_example() -> None:
    page = (ROOT / "docs" / "setup.md").read_text(encoding="utf-8")
    included = set(re.findall(r'"examples/servers/([\w.]+)"', page))
    assert {file.name for file in (ROOT / "examples" / "servers").glob("*.py")} - included == {"web.py"}
