# SPDX-License-Identifier: Apache-2.0
"""The real servers, as processes of their own on free ports of 127.0.0.1, with the committed configuration.

Of the committed files only addresses and intervals are changed: everything happens in seconds here, not in minutes.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ..patience import PATIENCE_S
from ..ports import free_port
from .programs import DASHBOARDS, ENVIRONMENT, program

STACK = DASHBOARDS / "stack"
Result = TypeVar("Result")


def eventually(what: str, look: Callable[[], Result | None], timeout: float = PATIENCE_S) -> Result:
    """The first result that is something: a server that others run can only be asked again and again."""
    deadline, pause = time.monotonic() + timeout, threading.Event()
    while True:
        if result := look():
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s")
        pause.wait(0.1)


def asked(url: str) -> Any:
    """What a server answers in JSON."""
    with urllib.request.urlopen(url) as response:
        return json.load(response)


class Process:
    """A server process; a context manager that returns once a line of its output says that it is ready."""

    def __init__(self, command: list[str], ready: str) -> None:
        self._command, self._ready = command, re.compile(ready)
        self._is_ready = threading.Event()
        self.output: list[str] = []

    def __enter__(self) -> Process:
        self._process = subprocess.Popen(
            self._command,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._is_ready.wait(PATIENCE_S) or self._process.poll() is not None:
            self.__exit__()
            raise RuntimeError(f"{self._command[0]} did not start:\n{''.join(self.output[-20:])}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output.append(line)
            if self._ready.search(line):
                self._is_ready.set()
        self._is_ready.set()  # it has ended: nobody shall wait any longer


class Webhook:
    """Gets what Alertmanager sends, as whoever is on call would."""

    def __init__(self) -> None:
        self._came: list[dict[str, Any]] = []
        self._more = threading.Condition(threading.RLock())
        handler = type("Handler", (_WebhookHandler,), {"keep": self._keep})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts"

    def __enter__(self) -> Webhook:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _keep(self, alerts: list[dict[str, Any]]) -> None:
        with self._more:
            self._came += alerts
            self._more.notify_all()

    def came(self, job: str, status: str = "firing") -> dict[tuple[str, str], dict[str, Any]]:
        """The alerts of a job that have come with this status so far, by name and severity."""
        with self._more:
            alerts = list(self._came)
        return {
            (alert["labels"]["alertname"], alert["labels"]["severity"]): alert
            for alert in alerts
            if alert["status"] == status and alert["labels"].get("job") == job
        }

    def wait_for(
        self, job: str, alerts: set[tuple[str, str]], timeout: float, status: str = "firing"
    ) -> dict[tuple[str, str], dict[str, Any]]:
        """The alerts of a job by name and severity, once all that are expected have come with this status."""
        with self._more:
            if not self._more.wait_for(lambda: alerts <= self.came(job, status).keys(), timeout):
                raise TimeoutError(f"not {status} within {timeout} s: {alerts}; came: {set(self.came(job, status))}")
        return self.came(job, status)


class _WebhookHandler(BaseHTTPRequestHandler):
    keep: Callable[[list[dict[str, Any]]], None]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.keep(body["alerts"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@dataclass
class Prometheus:
    """A running Prometheus, and how to ask it."""

    url: str
    _ticks: str = field(default="prometheus_rule_group_iterations_total", repr=False)

    def get(self, path: str, **parameters: str) -> Any:
        return asked(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")["data"]

    def query(self, expr: str, **parameters: str) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = self.get("query", query=expr, **parameters)["result"]
        return result

    def value(self, expr: str, **parameters: str) -> float | None:
        """The one value of a query that has at most one."""
        result = self.query(expr, **parameters)
        assert len(result) <= 1, result
        return float(result[0]["value"][1]) if result else None

    def now(self) -> float:
        """The time, as the server has it."""
        return float(self.get("query", query="time()")["result"][1])

    def wait_for_value(self, expr: str, value: float, timeout: float = 20.0) -> None:
        eventually(f"{expr} == {value}", lambda: self.value(expr) == value, timeout)

    def evaluate(self, times: int = 3, timeout: float = 20.0) -> None:
        """Returns once every rule has been evaluated that many times more."""
        before = self.evaluations()

        def evaluated() -> bool:
            return all(now - then >= times for now, then in zip(self.evaluations(), before, strict=True))

        eventually("rules are evaluated", evaluated, timeout)

    def evaluations(self) -> list[float]:
        """How often each group has been evaluated, in the order of their names."""
        with urllib.request.urlopen(f"{self.url}/metrics") as response:
            lines = response.read().decode().splitlines()
        return [float(line.rpartition(" ")[2]) for line in sorted(lines) if line.startswith(self._ticks + "{")]

    def firing(self, job: str) -> set[tuple[str, str]]:
        alerts = self.get("alerts")["alerts"]
        return {
            (alert["labels"]["alertname"], alert["labels"]["severity"])
            for alert in alerts
            if alert["state"] == "firing" and alert["labels"].get("job") == job
        }


def alertmanager(stack: ExitStack, folder: Path, webhook: Webhook) -> str:
    """Start the real Alertmanager; its address."""
    configuration = yaml.safe_load((STACK / "alertmanager/alertmanager.yml").read_text(encoding="utf-8"))
    for route in (configuration["route"], *configuration["route"]["routes"]):
        route |= {"group_wait": "0s", "group_interval": "1s"}
    configuration["receivers"][0]["webhook_configs"][0]["url"] = webhook.url
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={path}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    stack.enter_context(Process(command, ready="Listening on"))
    return address


def prometheus(
    stack: ExitStack,
    folder: Path,
    alerts_to: str,
    scrapes: Iterable[dict[str, Any]],
    binary: str,
    *options: str,
    interval: str = "1s",
    rules: Path = DASHBOARDS / "prometheus",
) -> Prometheus:
    """Start the real Prometheus, with the committed rules where no other folder is given.

    `interval` is how often it scrapes and evaluates.
    """
    configuration = yaml.safe_load((STACK / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    configuration["global"] = {"scrape_interval": interval, "evaluation_interval": interval}
    configuration["rule_files"] = [str(rules / "*.yml")]
    configuration["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alerts_to]
    configuration["scrape_configs"] = list(scrapes)
    if "--web.enable-otlp-receiver" not in options:
        del configuration["otlp"]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    port = free_port()
    command = [
        program(binary),
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        *options,
    ]
    stack.enter_context(Process(command, ready="Server is ready to receive web requests"))
    running = Prometheus(f"http://127.0.0.1:{port}")
    # The first scrape of a target comes some seconds after the start, and rules are evaluated from then on.
    running.evaluate(1, timeout=PATIENCE_S)
    return running


@dataclass(frozen=True)
class Collector:
    """A running Collector: where to send OTLP, and what Prometheus scrapes."""

    otlp: str
    metrics: str


def collector(stack: ExitStack, traces_to: str, logs_to: str) -> Collector:
    """Start the real Collector with the committed configuration, on ports of its own; both are OTLP receivers."""
    port, metrics = free_port(), free_port()
    overrides = [
        "receivers::otlp::protocols::grpc::endpoint: 127.0.0.1:0",
        f"receivers::otlp::protocols::http::endpoint: 127.0.0.1:{port}",
        f"exporters::prometheus::endpoint: 127.0.0.1:{metrics}",
        f"exporters::otlp_http/tempo::endpoint: {traces_to}",
        f"exporters::otlp_http/loki::endpoint: {logs_to}",
        "processors::tail_sampling::decision_wait_after_root_received: 1s",
        "processors::batch::timeout: 100ms",
    ]
    command = [program("otelcol"), f"--config={STACK / 'collector/collector.yaml'}"]
    command += [f"--config=yaml:{override}" for override in overrides]
    stack.enter_context(Process(command, ready="Everything is ready"))
    return Collector(f"http://127.0.0.1:{port}", f"127.0.0.1:{metrics}")
