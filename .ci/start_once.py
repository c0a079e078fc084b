# SPDX-License-Identifier: Apache-2.0
"""Start each program of a part of .ci/install-monitoring once, with a small configuration: `start_once.py PART...`.

A server is ready when it answers its address with status 200 within `TIMEOUT` seconds. A tool is ready when it ends
with exit status 0 in that time. Prints one line per program, and the end of the output of a program that is not ready.
Exit status 0 when all are ready, 1 when one is not, 2 when there is no such part. Servers listen on 127.0.0.1 only and
are stopped. Needs nothing but the standard library.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "monitoring"
TIMEOUT = 60.0
"""Seconds until a server must be ready and a tool must have ended."""

PROMETHEUS = """\
rule_files: [rules.yml]
scrape_configs:
  - job_name: itself
    static_configs: [{targets: ["127.0.0.1:9090"]}]
"""
RULES = """\
groups:
  - name: small
    rules:
      - alert: NothingIsUp
        expr: sum(up) == 0
"""
ALERTMANAGER = """\
route: {receiver: nobody}
receivers: [{name: nobody}]
"""
COLLECTOR = """\
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
processors: {batch: {}}
exporters: {prometheus: {endpoint: "127.0.0.1:%(port)s"}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {metrics: {receivers: [otlp], processors: [batch], exporters: [prometheus]}}
"""
DASHBOARD = '{"title": "Small", "schemaVersion": 39, "panels": [], "templating": {"list": []}}'
TYPESCRIPT = 'import { Dashboard } from "@grafana/schema";\nexport const uid: Dashboard["uid"] = "small";\n'


class NotReadyError(Exception):
    """A program did not become ready; the message says what it did instead."""


@dataclass(frozen=True)
class Program:
    """One program. In `command` and in the content of `files`, %(port)s is a free port and %(cache)s is `CACHE`.

    `command` is run in a folder that holds only `files` (name -> content). A server answers `path` once it is ready; a
    tool has no path.
    """

    name: str
    command: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    path: str | None = None


def prometheus(name: str, *options: str) -> Program:
    """A Prometheus server with a scrape and a rule."""
    command = (f"%(cache)s/bin/{name}", "--config.file=prometheus.yml", "--storage.tsdb.path=data", *options)
    address = "--web.listen-address=127.0.0.1:%(port)s"
    return Program(name, (*command, address), {"prometheus.yml": PROMETHEUS, "rules.yml": RULES}, "/-/ready")


PARTS: dict[str, tuple[Program, ...]] = {
    "prometheus2": (
        prometheus("prometheus"),
        Program("promtool", ("%(cache)s/bin/promtool", "check", "rules", "rules.yml"), {"rules.yml": RULES}),
    ),
    "prometheus3": (prometheus("prometheus3", "--web.enable-otlp-receiver"),),
    "alertmanager": (
        Program(
            "prometheus-alertmanager",
            (
                "%(cache)s/bin/prometheus-alertmanager",
                "--config.file=alertmanager.yml",
                "--storage.path=data",
                "--web.listen-address=127.0.0.1:%(port)s",
                "--cluster.listen-address=",
            ),
            {"alertmanager.yml": ALERTMANAGER},
            "/-/ready",
        ),
        Program(
            "amtool",
            ("%(cache)s/bin/amtool", "check-config", "alertmanager.yml"),
            {"alertmanager.yml": ALERTMANAGER},
        ),
    ),
    "collector": (
        Program(
            "otelcol", ("%(cache)s/bin/otelcol", "--config=collector.yaml"), {"collector.yaml": COLLECTOR}, "/metrics"
        ),
    ),
    "pint": (Program("pint", ("%(cache)s/bin/pint", "--offline", "lint", "rules.yml"), {"rules.yml": RULES}),),
    "dashboard-linter": (
        Program(
            "dashboard-linter",
            ("%(cache)s/bin/dashboard-linter", "lint", "dashboard.json"),
            {"dashboard.json": DASHBOARD},
        ),
    ),
    "grafana-schema": (
        Program(
            "tsc",
            (
                *("%(cache)s/npm/node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck"),
                *("--moduleResolution", "bundler", "--module", "esnext", "small.ts"),
            ),
            {"small.ts": TYPESCRIPT},
        ),
    ),
    "kustomize": (Program("kustomize", ("%(cache)s/bin/kustomize", "version")),),
    "operators": (),
    "replay": (Program("replay", ("%(cache)s/bin/replay", "--data=data", "rules.yml"), {"rules.yml": RULES}),),
    "grafana-libraries": (Program("esbuild", ("%(cache)s/drawing/node_modules/.bin/esbuild", "--version")),),
}
"""What each part of .ci/install-monitoring installs."""


def start(program: Program) -> str:
    """Start `program` once and stop it; returns what it did. Raises `NotReadyError`."""
    with tempfile.TemporaryDirectory() as folder, _held_port() as port:
        values = {"port": str(port), "cache": str(CACHE)}
        for name, text in program.files.items():
            Path(folder, name).write_text(text % values, encoding="utf-8")
        modules = CACHE / "npm" / "node_modules"
        if modules.exists():
            os.symlink(modules, Path(folder, "node_modules"))
        command = [word % values for word in program.command]
        output = Path(folder, "output")
        try:
            if program.path is None:
                return _run(command, output)
            return _serve(command, output, f"http://127.0.0.1:{values['port']}{program.path}")
        except OSError as error:
            raise NotReadyError(f"cannot be started: {error}") from None


def _run(command: list[str], output: Path) -> str:
    with output.open("wb") as out:
        try:
            status = subprocess.run(
                command,
                cwd=output.parent,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                timeout=TIMEOUT,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise NotReadyError(f"did not end within {TIMEOUT:.0f} s; its output:\n{_end(output)}") from None
    if status != 0:
        raise NotReadyError(f"ended with exit status {status}; its output:\n{_end(output)}")
    return "ran"


def _serve(command: list[str], output: Path, url: str) -> str:
    started = time.monotonic()
    with output.open("wb") as out:
        process = subprocess.Popen(command, cwd=output.parent, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        while not _answers(url):
            status = process.poll()
            if status is not None:
                raise NotReadyError(f"ended with exit status {status}; its output:\n{_end(output)}")
            if time.monotonic() - started > TIMEOUT:
                raise NotReadyError(f"did not answer {url} within {TIMEOUT:.0f} s; its output:\n{_end(output)}")
            time.sleep(0.05)
        return f"answered {url} after {time.monotonic() - started:.1f} s"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


@contextmanager
def _held_port() -> Iterator[int]:
    """A port that nobody is given meanwhile, and on which a server that sets SO_REUSEADDR can listen."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


def _end(output: Path) -> str:
    return "\n".join(output.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])


def main(parts: list[str], tell: Callable[[str], None] = print) -> int:
    """Start every program of `parts`; 0 when all are ready, 1 when one is not, 2 when there is no such part."""
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        tell(f"no part {', '.join(unknown) or 'was named'}; there is: {', '.join(PARTS)}")
        return 2
    status = 0
    for program in (program for part in parts for program in PARTS[part]):
        try:
            tell(f"{program.name}: {start(program)}")
        except NotReadyError as error:
            status = 1
            tell(f"{program.name}: NOT READY, it {error}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
