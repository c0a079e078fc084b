# SPDX-License-Identifier: Apache-2.0
"""Other instrumentations as contestants, each measured by a process in an environment of its own.

Their versions, environments and ways of activation are those of the tests of coexistence (`tests/neighbours`). Most
cannot be turned off again: what they change in the SDK is looked up when they are activated, then put in and taken out
for each sample.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from opentelemetry import metrics, trace

from tests.support.neighbours import activation
from tests.support.neighbours.environments import ROOT, interpreter
from tests.support.neighbours.expectations import NEIGHBOURS

from . import wire
from .contestant import Contestant, Telemetry, metric_reader, span_processor

MEASURED = {neighbour.name: neighbour for neighbour in NEIGHBOURS if neighbour.name != "httpx2"}
"""All but the instrumentation of the HTTP client: it instruments a transport that no request takes here."""

_MISSING = object()


class Neighbour(Contestant):
    """The instrumentation that is called `name`, in a process that has no other one."""

    def __init__(self, name: str, connection: wire.Wire) -> None:
        reader = metric_reader()
        activation.set_providers(name, [span_processor()], reader, Ignored())
        activation.load(name)
        before = _attributes()
        activation.ACTIVATE[name]()
        self._changes: list[tuple[Any, str, Any, Any]] = []
        for place, (owner, value) in _attributes().items():
            _, bare = before.get(place, (owner, _MISSING))
            if value is not bare:
                self._changes.append((owner, place[1], bare, value))
        # Some instrument a client when it is made.
        super().__init__(connection, Telemetry(trace.get_tracer_provider(), metrics.get_meter_provider(), reader))
        self.off()

    def on(self) -> None:
        for owner, attribute, _, ours in self._changes:
            setattr(owner, attribute, ours)

    def off(self) -> None:
        for owner, attribute, bare, _ in self._changes:
            if bare is _MISSING:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, bare)


class Ignored:
    """A processor of log records that keeps none."""

    def on_emit(self, log_data: Any) -> None:
        """Not kept."""

    emit = on_emit

    def shutdown(self) -> None:
        """Nothing to do."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return True


def _attributes() -> dict[tuple[int, str], tuple[Any, Any]]:
    """Every attribute of the SDK's modules and their classes: which owner, which name → the owner and the value."""
    return {
        (id(owner), attribute): (owner, value)
        for owner in _owners()
        for attribute, value in list(vars(owner).items())
        if not attribute.startswith(("_abc_", "__weakref__", "__dict__", "__pydantic"))
    }


def _owners() -> Iterator[Any]:
    seen: set[int] = set()
    for name, module in list(sys.modules.items()):
        if not _of_sdk(name) or ".types" in name:
            continue
        yield module
        for value in list(vars(module).values()):
            if isinstance(value, type) and _of_sdk(value.__module__) and id(value) not in seen:
                seen.add(id(value))
                yield value


def _of_sdk(module: str) -> bool:
    return module.partition(".")[0] == "anthropic"


def measured(name: str, rounds: int) -> dict[str, Any]:
    """What a process in the neighbour's environment measured of it: the results of `python -m benchmarks --json`."""
    python = interpreter(MEASURED[name])
    command = [str(python), "-m", "benchmarks", "--json", f"--rounds={rounds}", f"--only={name}"]
    unwanted = ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
    environment = {key: value for key, value in os.environ.items() if key not in unwanted}
    environment |= {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))
