# SPDX-License-Identifier: Apache-2.0
"""The pictures of the documentation, from a run in real time with real servers. Not part of CI.

    python -m tests.drawing.pictures [--minutes 60] [--keep FOLDER]

Chat services under `opentelemetry-instrument` call a fault server: calm, then a storm in which a third of the calls
fail, then calm. Metrics go through the real Collector to a real Prometheus, at the intervals that the stack is
shipped with; Alertmanager tells a webhook. Writes docs/images/after200-*.png, drawn by Grafana's own libraries, and
prints how long after the beginning and the end of the storm the pages came and went. Nothing is said of an error budget
in its first hours, so that picture shows the last day of some that pass in time lapse.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from after200.faults import FaultServer
from tests.support.monitoring.applications import ChatService, Visitor
from tests.support.monitoring.episodes import CALM, SOME_DAYS, STORM
from tests.support.monitoring.programs import ROOT
from tests.support.monitoring.replayed import prepare, serve
from tests.support.monitoring.servers import Prometheus
from tests.support.monitoring.ways import Way, through_the_collector

from .drawing import Order, build, draw
from .states import BOARDS

IMAGES = ROOT / "docs" / "images"
MODELS = {
    "claude-opus-5": ("chat", 0.9),
    "claude-sonnet-5": ("chat", 0.5),
    "claude-haiku-4-5": ("support-bot", 0.7),
}
"""Model → its job, and the mean pause between two calls of one of its two processes, in s."""
PROCESSES = 2
LIMITS = {"requests": 260, "input_tokens": 1_400_000, "output_tokens": 28_000}
BEGINS, ENDS = 0.55, 0.8
"""When the storm begins and ends, as shares of the run: burn rates over an hour are judged from half an hour on."""
WIDTH = 1600
CHOSEN = "var-job=chat"
"""What is chosen at the top of the dashboards: one of the two jobs."""
(BUDGET,) = (board for board in BOARDS if board.stem.endswith("budget"))
DAY_S = 86400


def chat(pair: tuple[ChatService, ChatService], pause: float, began: float, seconds: float) -> None:
    """Ask until the time is over: the service of calm times, or that of the storm."""
    while (elapsed := (time.monotonic() - began) / seconds) < 1:
        pair[BEGINS < elapsed < ENDS].ask(1)
        time.sleep(random.expovariate(1 / pause))


def run(way: Way, stack: ExitStack, seconds: float) -> None:
    """Make the calls of the whole run; returns when it is over."""
    environment = next(iter(way.telemetry.values())) | {"OTEL_METRIC_EXPORT_INTERVAL": "5000"}
    servers = [
        stack.enter_context(FaultServer(mix=mix, seed=7, latency=0.25, chunk_delay=0.12, rate_limits=LIMITS))
        for mix in (CALM, STORM)
    ]
    threads, began = [], time.monotonic()
    for model, (job, pause) in MODELS.items():
        for process in range(PROCESSES):
            pair = tuple(
                stack.enter_context(
                    ChatService(
                        job,
                        server.base_url("mix"),
                        environment
                        | {"OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id={model[7:]}-{process}-{place}"},
                        model,
                    )
                )
                for place, server in enumerate(servers)
            )
            threads.append(threading.Thread(target=chat, args=(pair, pause, began, seconds), daemon=True))
    for thread in threads:
        thread.start()
    for number in range(3):
        time.sleep(seconds / 4)
        identity = {"OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id=visitor-{number}"}
        visitor = stack.enter_context(Visitor("support-bot", servers[0].url, environment | identity, "--leave-only"))
        threading.Thread(target=visitor.visit, daemon=True).start()
    for thread in threads:
        thread.join()


def timeline(server: Prometheus, start: float, end: float, seconds: float) -> list[str]:
    """When each page came and went, after the beginning and after the end of the storm."""
    query = 'max by (alertname) (ALERTS{alertstate="firing",severity="critical"})'
    series = server.get("query_range", query=query, start=str(start), end=str(end), step="15")["result"]
    began, over = start + BEGINS * seconds, start + ENDS * seconds
    lines = []
    for one in series:
        times = [at for at, _ in one["values"]]
        if times:
            first, last = times[0] - began, times[-1] - over
            name = one["metric"]["alertname"]
            lines.append(f"{name}: fires {first:+.0f} s after the beginning, last fires {last:+.0f} s after the end")
    return lines


def rows(spans: Any) -> list[dict[str, Any]]:
    """What a trace store would find of the spans that the Collector has kept."""
    found = []
    for span in spans:
        outcome, resent = span.attributes.get("after200.outcome"), span.attributes.get("http.request.resend_count", 0)
        if outcome in ("failed", "truncated") or (outcome == "completed" and resent):
            found.append(
                {
                    "spanID": span.span_id,
                    "start": span.start / 1e6,
                    "service": span.resource.get("service.name"),
                    "name": span.name,
                    "saved": outcome == "completed",
                    "duration": span.end - span.start,
                    "attributes": {name: str(value) for name, value in span.attributes.items()},
                }
            )
    return sorted(found, key=lambda row: -row["start"])


def lines(records: Any) -> list[dict[str, Any]]:
    """What a log store would find of the log records that the Collector has passed on: labels have `_` for dots."""
    found = []
    for record in records:
        said = {**record.resource, **record.attributes}
        labels = {re.sub(r"[^a-zA-Z0-9_]", "_", name): str(value) for name, value in said.items()}
        found.append({"time": record.time / 1e6, "line": str(record.body or ""), "labels": labels})
    return sorted(found, key=lambda row: -row["time"])


def draw_budget(folder: Path) -> None:
    """Draw the error budget in the last of some days, in the folder `drawn` of this one."""
    ((_, database),) = prepare(folder, {SOME_DAYS.name: ("classic",)}).items()
    with serve(database) as server:
        start, end = (SOME_DAYS.end - DAY_S) * 1000, SOME_DAYS.end * 1000
        draw([Order(BUDGET.stem, BUDGET.resolve(), server.url, start, end, (WIDTH,))], folder / "drawn")


def main(minutes: float, keep: Path | None) -> None:
    seconds = minutes * 60
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        way = stack.enter_context(through_the_collector(folder, interval="15s"))
        start = time.time()
        with ExitStack() as applications:
            run(way, applications, seconds)
            end = time.time()
            assert way.traces is not None
            assert way.logs is not None
            (folder / "traces.json").write_text(json.dumps(rows(way.traces.spans)), encoding="utf-8")
            (folder / "logs.json").write_text(json.dumps(lines(way.logs.logs)), encoding="utf-8")
            print(*timeline(way.prometheus, start, end, seconds), sep="\n")
            build()
            orders = [
                Order(
                    board.stem,
                    board.resolve(),
                    way.prometheus.url,
                    round(start * 1000),
                    round(end * 1000),
                    (WIDTH,),
                    query=CHOSEN,
                    traces=folder / "traces.json",
                    logs=folder / "logs.json",
                )
                for board in BOARDS
                if board != BUDGET
            ]
            draw(orders, folder / "drawn")
        draw_budget(folder)
        for board in BOARDS:
            shutil.copy(folder / "drawn" / f"{board.stem}-{WIDTH}.png", IMAGES / f"{board.stem}.png")
        if keep:
            shutil.copytree(folder, keep, dirs_exist_ok=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="how long the run takes (default: 60)")
    parser.add_argument("--keep", type=Path, help="a folder to copy what was drawn and recorded to")
    options = parser.parse_args()
    main(options.minutes, options.keep)
