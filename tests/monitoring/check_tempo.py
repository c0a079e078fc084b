# SPDX-License-Identifier: Apache-2.0
"""Ask a real Tempo every TraceQL query we ship, after a fault run through the real Collector. Not part of CI.

    python -m tests.monitoring.check_tempo path/to/tempo

Tempo cannot be had as a Go module or from Debian, so this is run by hand with a binary of your own. Exit status 1 when
a query finds nothing that should find something.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import urllib.parse
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from after200.cli.demo import MIX
from after200.faults import FaultServer

from ..support.monitoring.applications import ChatService, Visitor
from ..support.monitoring.programs import DASHBOARDS
from ..support.monitoring.queries import panels
from ..support.monitoring.servers import STACK, Process, collector, eventually
from ..support.monitoring.ways import OTLP
from ..support.ports import free_port

EXPECTED_EMPTY = "after200.stream.longest_gap"
"""No stream of the run stalls for so long that the query for stalled streams finds it."""


def start_tempo(stack: ExitStack, folder: Path, binary: str) -> tuple[str, str]:
    """The addresses of its API and of its OTLP receiver; the committed configuration but for ports and paths."""
    api, otlp = free_port(), free_port()
    configuration = yaml.safe_load((STACK / "tempo/tempo.yaml").read_text(encoding="utf-8"))
    configuration["server"] |= {
        "http_listen_address": "127.0.0.1",
        "http_listen_port": api,
        "grpc_listen_address": "127.0.0.1",
        "grpc_listen_port": free_port(),
        "log_level": "info",
    }
    configuration["distributor"]["receivers"]["otlp"]["protocols"]["http"]["endpoint"] = f"127.0.0.1:{otlp}"
    storage = configuration["storage"]["trace"]
    storage["wal"]["path"], storage["local"]["path"] = str(folder / "wal"), str(folder / "blocks")
    path = folder / "tempo.yaml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    stack.enter_context(Process([binary, "-target=all", f"-config.file={path}"], ready="Tempo started"))
    return f"http://127.0.0.1:{api}", f"http://127.0.0.1:{otlp}"


def traceql() -> dict[str, str]:
    """Every TraceQL query of the dashboards and runbooks, by where it stands."""
    chosen = re.compile(r"\$\{\w+:pipe\}")
    found = {
        place: chosen.sub(".*", target["query"])
        for place, panel in panels()
        for target in panel["targets"]
        if "query" in target
    }
    for path in sorted((DASHBOARDS / "runbooks").glob("*.md")):
        for block in re.findall(r"```traceql\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            found[f"{path.name}: {block.strip()}"] = block.strip()
    return found


def search(api: str, query: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{api}/api/search?{urllib.parse.urlencode({'q': query, 'limit': 1000})}") as response:
        traces: list[dict[str, Any]] = json.load(response).get("traces") or []
    return traces


def main(binary: str) -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        api, receiver = start_tempo(stack, folder, binary)
        running = collector(stack, receiver, receiver)
        telemetry = {
            **OTLP,
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": running.otlp,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        faults = {name: share for name, share in MIX.items() if name != "stall"}
        server = stack.enter_context(FaultServer(mix=faults, seed=7))
        with ChatService("chat", server.base_url("mix"), telemetry) as chat:
            chat.ask(150)
        with Visitor("chat", server.url, telemetry) as visitor:
            visitor.visit()
        eventually("Tempo has the failed calls", lambda: search(api, "{ status = error }"), 60)
        missing = 0
        for place, query in traceql().items():
            wanted = EXPECTED_EMPTY not in query
            traces = eventually(place, lambda query=query: search(api, query), 15) if wanted else search(api, query)
            missing += wanted and not traces
            print(f"{len(traces):4} traces  {place}")
    return 1 if missing else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.monitoring.check_tempo path/to/tempo")
    sys.exit(main(sys.argv[1]))
