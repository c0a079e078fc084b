# SPDX-License-Identifier: Apache-2.0
"""Draw the headline panels of *Claude: After the 200* from a real fault run. No Grafana is involved.

    python docs/images/draw_dashboard.py [--seconds 90] [--keep dashboard.html]

Chat services under `opentelemetry-instrument` call a fault server whose faults come and go; metrics go through the real
Collector to a real Prometheus, which is asked the dashboard's own queries. `svg.py` makes shapes of the answers,
headless Chromium a picture of the shapes. Needs what `.ci/install-monitoring` installs, and `chromium`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

from svg import Series, page  # noqa: E402

from after200.faults import FaultServer  # noqa: E402
from tests.monitoring.applications import ChatService  # noqa: E402
from tests.monitoring.queries import substituted  # noqa: E402
from tests.monitoring.servers import Prometheus  # noqa: E402
from tests.monitoring.ways import FAULTY, SERVICE, Way, through_the_collector  # noqa: E402

BOARD = ROOT / "dashboards" / "grafana" / "after200-calls.json"
PICTURE = HERE / "after-the-200.png"
WIDTH, HEIGHT = 1360, 1000
MODELS = ("claude-opus-5", "claude-sonnet-5", "claude-haiku-4-5")

CALM = {"truncated": 0.001, "reset": 0.001, "http_529": 0.01}
STORM = {
    "overloaded": 0.16,
    "overloaded_error_first_event": 0.04,
    "api_error": 0.03,
    "rate_limited": 0.025,
    "truncated": 0.04,
    "reset": 0.012,
    "http_529_always": 0.01,
}
STORM_BEGINS, STORM_ENDS = 0.35, 0.72
"""When the faults come and go, as shares of the run."""


@dataclass(frozen=True)
class Answers:
    """What Prometheus answered to the dashboard's queries."""

    numbers: dict[str, float]
    graphs: dict[str, list[Series]]
    tables: dict[str, list[tuple[dict[str, str], float]]]
    alerts: dict[str, float]
    start: float
    end: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=90, help="how long the run takes")
    parser.add_argument("--keep", type=Path, help="write the page here as well")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("draw_dashboard: chromium is not installed")
    html = page(fault_run(options.seconds), WIDTH, HEIGHT)
    if options.keep:
        options.keep.write_text(html, encoding="utf-8")
    photograph(chromium, html)
    print(f"wrote {PICTURE.relative_to(ROOT)}")


def fault_run(seconds: float) -> Answers:
    """Run the services for so long, then ask."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        way = stack.enter_context(through_the_collector(folder))
        servers = [stack.enter_context(FaultServer(mix=mix, seed=7, chunk_delay=0.002)) for mix in (CALM, STORM)]
        services = {
            model: [
                stack.enter_context(ChatService(FAULTY, server.base_url("mix"), telemetry(way, f"{model}-{n}"), model))
                for n, server in enumerate(servers)
            ]
            for model in MODELS
        }
        for calm, _ in services.values():
            calm.ask(1)
        start = way.prometheus.now()
        threads = [threading.Thread(target=chat, args=(pair, seconds)) for pair in services.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        way.prometheus.evaluate(2)
        return ask(way.prometheus, start, way.prometheus.now())


def telemetry(way: Way, instance: str) -> dict[str, str]:
    return way.telemetry[FAULTY, SERVICE] | {"OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id={instance}"}


def chat(pair: list[ChatService], seconds: float) -> None:
    """Ask one question after the other, of the service that meets the faults of this moment."""
    began = time.monotonic()
    while (elapsed := (time.monotonic() - began) / seconds) < 1:
        pair[STORM_BEGINS < elapsed < STORM_ENDS].ask(1)


def ask(prometheus: Prometheus, start: float, end: float) -> Answers:
    """The dashboard's own queries over the time of the run."""
    variables = {"$__range": f"{int(end - start) + 30}s", "$__rate_interval": "5s", "$job": FAULTY}
    numbers, graphs, tables = {}, {}, {}
    for panel in json.loads(BOARD.read_text(encoding="utf-8"))["panels"]:
        queries = [substituted(target["expr"], variables) for target in panel.get("targets", []) if "expr" in target]
        legends = [target.get("legendFormat", "") for target in panel.get("targets", [])]
        if panel["type"] == "stat":
            numbers[panel["title"]] = prometheus.value(queries[0], time=str(end)) or 0.0
        elif panel["type"] == "timeseries":
            graphs[panel["title"]] = [
                series
                for query, legend in zip(queries, legends, strict=True)
                for series in graph(prometheus, query, legend, start, end)
            ]
        elif panel["type"] == "table" and queries:
            rows = prometheus.query(queries[0], time=str(end))
            tables[panel["title"]] = [(row["metric"], float(row["value"][1])) for row in rows]
    fired = prometheus.get("query_range", query=f'ALERTS{{alertstate="firing",job="{FAULTY}"}}', **window(start, end))
    alerts: dict[str, float] = {}
    for series in fired["result"]:
        name, first = series["metric"]["alertname"], float(series["values"][0][0])
        alerts[name] = min(first, alerts.get(name, first))
    return Answers(numbers, graphs, tables, alerts, start, end)


def graph(prometheus: Prometheus, query: str, legend: str, start: float, end: float) -> list[Series]:
    answer: list[dict[str, Any]] = prometheus.get("query_range", query=query, **window(start, end))["result"]
    found = []
    for series in answer:
        name = legend
        for label, value in series["metric"].items():
            name = name.replace(f"{{{{{label}}}}}", value)
        found.append(Series(name, [(float(at), float(value)) for at, value in series["values"]]))
    return found


def window(start: float, end: float) -> dict[str, str]:
    return {"start": str(start), "end": str(end), "step": "1"}


def photograph(chromium: str, html: str) -> None:
    """The page as a picture, twice as fine as its size says."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(html, encoding="utf-8")
        command = [
            chromium,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-device-scale-factor=2",
            f"--window-size={WIDTH},{HEIGHT}",
            f"--user-data-dir={folder}/profile",
            f"--screenshot={PICTURE}",
            source.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


if __name__ == "__main__":
    main()
