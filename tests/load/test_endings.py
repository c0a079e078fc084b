# SPDX-License-Identifier: Apache-2.0
"""Streams that are open when their world ends: the event loop, the interpreter."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import anthropic
import pytest

import after200
from after200.faults import FaultServer

from ..support import warm
from ..support.telemetry import Telemetry
from . import leaving

PROGRAM = Path(leaving.__file__)
OPEN = leaving.STREAMS - leaving.READ

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def leave(server: FaultServer, how: str, file: Path, *more: str, may_crash: bool = False) -> str:
    """Has the program end that way; what it wrote to stderr."""
    done = warm.run(
        [str(PROGRAM), server.url, how, str(file), *more],
        env=os.environ | {"PYTHONPATH": str(Path(after200.__file__).parents[1])},
    )
    if may_crash and done.returncode == -signal.SIGSEGV:
        pytest.skip("this SDK crashes this Python when it exits with streams open, without the package")
    assert (0, "") == (done.returncode, done.stdout)
    return done.stderr


def exported(file: Path) -> tuple[dict[str, int], int]:
    """The calls by outcome, and the open streams, of the last export."""
    calls: Counter[str] = Counter()
    open_streams = 0
    last: dict[str, Any] = json.loads(file.read_text().splitlines()[-1])
    for scope in last["resource_metrics"][0]["scope_metrics"]:
        for metric in scope["metrics"]:
            for point in metric["data"]["data_points"]:
                if metric["name"] == "after200.calls":
                    calls[point["attributes"]["after200.outcome"]] += point["value"]
                elif metric["name"] == "after200.streams.open":
                    open_streams += point["value"]
    return dict(+calls), open_streams


def complaints(stderr: str) -> set[str]:
    """What is complained of in it, each once: how often depends on the order in which a loop closes its generators."""
    lines = [line for line in stderr.splitlines() if re.match(r"\w*(Error|Exception|Warning|Task)\b.*", line)]
    return {*lines, *(line for line in stderr.splitlines() if "after200" in line)}


@pytest.mark.parametrize("how", list(leaving.WAYS))
def test_a_process_that_ends_with_streams_open_exports_what_became_of_each(
    how: str, server: FaultServer, tmp_path: Path
) -> None:
    without = leave(server, how, tmp_path / "bare", "bare", may_crash=True)
    with_package = leave(server, how, tmp_path / "metrics")
    assert complaints(without) == complaints(with_package)
    assert ({"completed": leaving.READ, "abandoned": OPEN}, 0) == exported(tmp_path / "metrics")


def test_streams_of_an_event_loop_that_is_closed_are_each_counted_once(
    server: FaultServer, telemetry: Telemetry
) -> None:
    async def main() -> list[Any]:
        client = anthropic.AsyncAnthropic(api_key="none", base_url=server.base_url("completed"))
        streams = [await client.messages.create(stream=True, **leaving.REQUEST) for _ in range(60)]
        for stream in streams[:40]:
            await anext(stream)  # These have begun, the others have a response and no more.
        for stream in streams[:10]:
            await stream.close()
        return streams

    # Old versions of the SDK leave the response of such a stream open: there is no sign of the end before the drop.
    without = asyncio.run(main())
    closed = sum(stream.response.is_closed for stream in without[10:40])
    del without
    assert closed in (0, 30)
    with telemetry.instrumented():
        streams = asyncio.run(main())
        assert 10 == telemetry.total("after200.calls", {"after200.outcome": "closed"})
        assert closed == telemetry.total("after200.calls", {"after200.outcome": "abandoned"})
        assert 50 - closed == telemetry.total("after200.streams.open")
        streams.clear()
        gc.collect()
    assert 50 == telemetry.total("after200.calls", {"after200.outcome": "abandoned"})
    assert 60 == telemetry.total("after200.calls")
    assert 0 == telemetry.total("after200.streams.open")
    assert [] == telemetry.open_spans
