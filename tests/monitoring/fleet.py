# SPDX-License-Identifier: Apache-2.0
"""What rules and dashboards cost for a fleet: measured with a real Prometheus 3 that scrapes it. Not part of CI.

    python -m tests.monitoring.fleet [--instances 1334] [--minutes 20]

Each instance has 75 series of calls, 20 of attempts, 15 of answers and 30 of the longest gap, for five models. After
the time has passed it prints how long the rules took, what a plain `increase()` takes, and how long each dashboard's
queries take, from the series and from what the rules have recorded.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from ..support.monitoring.programs import DASHBOARDS, program
from ..support.monitoring.queries import panels, substituted
from ..support.monitoring.servers import Process, Prometheus
from ..support.ports import free_port

MODELS = tuple(f"claude-model-{number}" for number in range(5))
FAILURES = (
    ("overloaded_error", 529, "overloaded"),
    ("api_error", 500, "server_error"),
    ("rate_limit_error", 429, "rate_limited"),
    ("connection_error", None, "connection"),
)
PLAIN = "sum by (job, gen_ai_provider_name, gen_ai_request_model) (increase(after200_calls_total[5m]))"


def endings() -> Iterator[tuple[dict[str, str], float]]:
    """How calls end, as labels, and how many do in a second."""
    yield {"after200_outcome": "completed", "http_response_status_code": "200"}, 0.5
    yield {"after200_outcome": "closed", "http_response_status_code": "200"}, 0.02
    for error, status, failure in FAILURES:
        for phase in ("first_chunk", "mid_stream"):
            labels = {
                "after200_outcome": "failed",
                "after200_phase": phase,
                "after200_failure": failure,
                "error_type": error,
            }
            yield labels | ({"http_response_status_code": str(status)} if status else {}), 0.0005
    for phase in ("first_chunk", "mid_stream"):
        labels = {"after200_outcome": "truncated", "after200_phase": phase, "after200_failure": "truncated"}
        yield labels | {"error_type": "stream_truncated"}, 0.0005
    for error, status, failure in (*FAILURES[:2], ("invalid_request_error", 400, "invalid_request")):
        labels = {"after200_outcome": "failed", "after200_phase": "request", "after200_failure": failure}
        yield labels | {"error_type": error, "http_response_status_code": str(status), "wire": str(status)}, 0.0005


class Fleet:
    """Counters of many processes: their names once, their values grown by the time that has passed."""

    def __init__(self, instances: int) -> None:
        self._heads: list[str] = []
        self._rates: list[float] = []
        self._values: list[float] = []
        self._then = time.monotonic()
        for instance in range(instances):
            for model in MODELS:
                self._add_model(
                    {"job": f"chat{instance % 20}", "instance": f"pod-{instance}", "gen_ai_request_model": model}
                )

    def _add_model(self, process: dict[str, str]) -> None:
        process = {**process, "gen_ai_provider_name": "anthropic"}
        call = {**process, "gen_ai_operation_name": "chat", "gen_ai_request_stream": "true"}
        for labels, rate in endings():
            wire = {"after200_wire_status_code": labels.get("wire", "200")}
            self._add(
                "after200_calls_total", {**call, **wire, **{k: v for k, v in labels.items() if k != "wire"}}, rate
            )
        for status, rate in (("200", 0.5), ("429", 0.001), ("500", 0.001), ("529", 0.005)):
            failed = {} if status == "200" else {"error_type": status, "after200_failure": "overloaded"}
            self._add("after200_attempts_total", {**process, "after200_wire_status_code": status, **failed}, rate)
        for answer, rate in (("complete", 0.49), ("cut", 0.005), ("refused", 0.005)):
            self._add("after200_answers_total", {**call, "after200_answer": answer}, rate)
        for outcome, rate in (("completed", 0.5), ("failed", 0.001)):
            gap = {**call, "after200_outcome": outcome}
            self._add("after200_stream_longest_gap_seconds_count", gap, rate)
            for bound in ("10.24", "+Inf"):
                self._add("after200_stream_longest_gap_seconds_bucket", {**gap, "le": bound}, rate)

    def _add(self, name: str, labels: dict[str, str], rate: float) -> None:
        text = ",".join(f'{key}="{value}"' for key, value in labels.items())
        self._heads.append(f"{name}{{{text}}} ")
        self._rates.append(rate)
        self._values.append(0.0)

    def exposition(self) -> bytes:
        now = time.monotonic()
        passed, self._then = now - self._then, now
        draw = random.random
        self._values = [
            value + rate * passed * 2 * draw() for value, rate in zip(self._values, self._rates, strict=True)
        ]
        lines = [f"{head}{int(value)}" for head, value in zip(self._heads, self._values, strict=True)]
        return ("\n".join(lines) + "\n").encode()


def measure(instances: int, minutes: float) -> None:
    fleet = Fleet(instances)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = fleet.exposition()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            with suppress(ConnectionError):  # Prometheus waits no longer while it is asked for much else
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    target = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=target.serve_forever, daemon=True).start()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        scrape = {"job_name": "fleet", "honor_labels": True, "scrape_timeout": "14s"}
        configuration = {
            "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
            "rule_files": [str(DASHBOARDS / "prometheus/*.yml")],
            "scrape_configs": [{**scrape, "static_configs": [{"targets": [f"127.0.0.1:{target.server_port}"]}]}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
        port = free_port()
        command = [program("prometheus3"), f"--config.file={folder / 'prometheus.yml'}"]
        command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
        stack.enter_context(Process([*command, "--query.timeout=5m"], ready="Server is ready to receive web requests"))
        server = Prometheus(f"http://127.0.0.1:{port}")
        time.sleep(minutes * 60)
        report(server, minutes)
        target.shutdown()


def report(server: Prometheus, minutes: float) -> None:
    calls = server.value("count(after200_calls_total)")
    series = server.get("status/tsdb")["headStats"]["numSeries"]
    print(f"series of calls: {calls:.0f}, of all: {series}, recorded ones included", flush=True)
    plain = min(timed(server, PLAIN) for _ in range(7))
    print(f"a plain increase of the calls: {plain:.3f} s")
    for group in server.get("rules")["groups"]:
        seconds = sorted(((rule["evaluationTime"], rule["name"]) for rule in group["rules"]), reverse=True)
        slow = ", ".join(f"{name} {took:.3f}" for took, name in seconds[:3])
        print(f"{group['name']}: {group['evaluationTime']:.3f} s; {slow}")
    calls_group = next(group for group in server.get("rules")["groups"] if group["name"] == "after200.calls")
    cost = min_over(server, [rule["query"] for rule in calls_group["rules"]])
    print(f"counting and judging the calls, births included: {cost:.3f} s, {cost / plain:.2f} times the plain increase")
    now, reach = time.time(), f"{int(minutes - 2)}m"
    for raw in (".+", ""):
        boards: dict[str, float] = {}
        for place, panel in panels():
            for target in panel["targets"]:
                if "expr" in target:
                    query = substituted(target["expr"], {"$raw": raw, "$__range": reach})
                    boards.setdefault(place.partition(":")[0], 0.0)
                    boards[place.partition(":")[0]] += timed_panel(server, query, target, now, minutes)
        kind = "from the series" if raw else "from what is recorded"
        print(
            f"all queries of a dashboard over {reach}, one after the other, {kind}: "
            + ", ".join(f"{name} {took:.1f} s" for name, took in boards.items())
        )


def min_over(server: Prometheus, queries: list[str]) -> float:
    return sum(min(timed(server, query) for _ in range(5)) for query in queries)


def timed(server: Prometheus, query: str) -> float:
    began = time.perf_counter()
    server.query(query)
    return time.perf_counter() - began


def timed_panel(server: Prometheus, query: str, target: dict[str, Any], now: float, minutes: float) -> float:
    began = time.perf_counter()
    try:
        if target.get("instant"):
            server.query(query)
        else:
            server.get("query_range", query=query, start=str(now - (minutes - 2) * 60), end=str(now), step="15")
    except urllib.request.HTTPError as error:
        print(f"  {error.read()[:200]!r}")
    return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--instances", type=int, default=1334, help="processes; 75 series of calls each (default: 1334)"
    )
    parser.add_argument("--minutes", type=float, default=20, help="how long to scrape before measuring (default: 20)")
    options = parser.parse_args()
    measure(options.instances, options.minutes)
