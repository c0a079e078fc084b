# SPDX-License-Identifier: Apache-2.0
"""That what is measured of a neighbour is the neighbour, and what is measured without it is not."""

from __future__ import annotations

import os
import subprocess

import pytest

from benchmarks.neighbours import MEASURED
from tests.support.neighbours.environments import ROOT, CannotInstallError, interpreter

pytestmark = pytest.mark.repeats("benchmarks/test_contestants.py")

PROGRAM = """
from benchmarks import wire
from benchmarks.neighbours import Neighbour
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

contestant, exporter = Neighbour({name!r}, wire.Wire()), InMemorySpanExporter()
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
for turn in (None, contestant.on, contestant.off, contestant.on):
    if turn is not None:
        turn()
    contestant.clients.read(1)
    print(len(exporter.get_finished_spans()), end=" ")
"""


@pytest.mark.parametrize("name", MEASURED)
def test_a_neighbour_records_while_it_is_on_and_not_while_it_is_off(name: str) -> None:
    try:
        python = interpreter(MEASURED[name])
    except CannotInstallError as error:
        pytest.skip(f"the neighbour cannot be installed: {error}")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    program = PROGRAM.format(name=name)
    done = subprocess.run([python, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    at_first, once, still, twice = (int(number) for number in done.stdout.split())
    assert 0 == at_first < once == still < twice
