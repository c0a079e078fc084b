# SPDX-License-Identifier: Apache-2.0
"""Episodes in a real Prometheus: an episode comes in, a running server that holds all of it comes out.

The calls are made by `lapse`, each job in a process of its own; `replay` writes their exports into a database of
Prometheus and evaluates the committed rules in the time of the episode.
"""

from __future__ import annotations

import heapq
import json
import struct
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from .. import warm
from ..patience import PATIENCE_S
from ..ports import free_port
from .episodes import EPISODES, Episode
from .programs import DASHBOARDS, ENVIRONMENT, ROOT, program
from .servers import Process, Prometheus

Kind = Literal["classic", "native"]
RULES = (DASHBOARDS / "prometheus/after200.rules.yml", DASHBOARDS / "prometheus/after200.alerts.yml")
HEAD = struct.Struct(">QI")


def play(episode: Episode, folder: Path, kinds: Sequence[Kind]) -> None:
    """Make the calls of an episode and put what its jobs export into the folder, with each kind of histogram."""
    folder.mkdir(parents=True, exist_ok=True)
    program = ["-m", "tests.support.monitoring.lapse", episode.name]
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(warm.run, [*program, job, str(folder), *kinds], cwd=ROOT) for job in episode.jobs]
    for job in jobs:
        if (finished := job.result()).returncode:
            ended = f"ended with status {finished.returncode}"
            raise RuntimeError(f"{' '.join(map(str, finished.args))} {ended}:\n{finished.stderr[-3000:]}")
    for name, time in (("traces", "start"), ("logs", "time")):
        rows = [row for job in episode.jobs for row in json.loads((folder / f"{job}.{name}.json").read_text("utf-8"))]
        rows.sort(key=lambda row: -row[time])
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")


def replay(episode: Episode, folder: Path, kind: Kind) -> Path:
    """Write what was exported into a database, with the series that the rules record; the database's folder."""
    database = folder / f"database-{kind}"
    command = [program("replay"), f"--data={database}", f"--interval={episode.evaluated}s", *map(str, RULES)]
    process = subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdin is not None
    exports = heapq.merge(*(read(folder / f"{job}.{kind}") for job in episode.jobs), key=lambda export: export[0])
    try:
        for _, export in exports:
            process.stdin.write(export)
    except BrokenPipeError:
        pass  # it says why
    said, _ = process.communicate(timeout=PATIENCE_S)
    if process.returncode:
        ended = f"ended with status {process.returncode}"
        raise RuntimeError(f"{' '.join(command)} {ended}:\n{said.decode()[-3000:]}")
    return database


def read(path: Path) -> Iterator[tuple[int, bytes]]:
    """The exports of a file, each with its time and with its head."""
    with path.open("rb") as file:
        while head := file.read(HEAD.size):
            time, length = HEAD.unpack(head)
            yield time, head + file.read(length)


@contextmanager
def serve(database: Path) -> Iterator[Prometheus]:
    """A Prometheus on a database that `replay` has written, or on an empty folder."""
    port = free_port()
    configuration = database.parent / "nothing.yml"
    configuration.write_text("", encoding="utf-8")
    command = [
        program("prometheus3"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={database}",
        "--storage.tsdb.retention.time=10y",
        "--enable-feature=exemplar-storage",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with ExitStack() as stack:
        stack.enter_context(Process(command, ready="Server is ready to receive web requests"))
        yield Prometheus(f"http://127.0.0.1:{port}")


def prepare(folder: Path, kinds: dict[str, tuple[Kind, ...]]) -> dict[str, Path]:
    """Play each episode once and replay it with each kind of histogram; the databases by `episode-kind`."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: play(EPISODES[name], folder / name, kinds[name]), kinds))
        asked = [(name, kind) for name, several in kinds.items() for kind in several]
        databases = pool.map(lambda one: replay(EPISODES[one[0]], folder / one[0], one[1]), asked)
        return {f"{name}-{kind}": database for (name, kind), database in zip(asked, databases, strict=True)}
