# SPDX-License-Identifier: Apache-2.0
"""Thousands of calls at once: the server's log, the callers and the counters agree to the last one.

`pytest tests/load --calls 20000` makes more of them, `--seed` others.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter

import pytest

from after200.faults import FaultServer

from ..support.patience import PATIENCE_S
from ..support.telemetry import Telemetry
from .accounts import check, open_files
from .callers import at_once, in_threads
from .plans import must_be, plan

AT_ONCE = 1000
THREADS = 24

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_of_many_async_streams_at_once_each_is_counted_once(telemetry: Telemetry, calls: int, seed: int) -> None:
    with FaultServer() as server, telemetry.instrumented():
        all_seen = asyncio.run(at_once(server.url, plan(seed, calls, asynchronous=True), AT_ONCE))
        served = server.wait_idle(PATIENCE_S)
    outcomes = Counter(must_be(seen).outcome for seen in all_seen)
    assert {"completed", "failed", "truncated", "closed", "cancelled", "abandoned"} == set(outcomes)
    check(all_seen, telemetry, served)


def test_of_many_streams_in_threads_each_is_counted_once(telemetry: Telemetry, calls: int, seed: int) -> None:
    with FaultServer() as server, telemetry.instrumented():
        all_seen = in_threads(server.url, plan(seed, calls // 2, asynchronous=False), THREADS)
        gc.collect()
        served = server.wait_idle(PATIENCE_S)
    outcomes = Counter(must_be(seen).outcome for seen in all_seen)
    assert {"completed", "failed", "truncated", "closed", "abandoned"} == set(outcomes)
    check(all_seen, telemetry, served)


def test_no_file_is_left_open(telemetry: Telemetry, seed: int) -> None:
    with FaultServer() as server, telemetry.instrumented():

        def make_calls(number: int) -> None:
            asyncio.run(at_once(server.url, plan(seed, number, asynchronous=True), AT_ONCE))
            in_threads(server.url, plan(seed, number // 2, asynchronous=False), THREADS)
            gc.collect()
            server.wait_idle(PATIENCE_S)

        make_calls(50)
        before = open_files()
        make_calls(200)
        deadline = time.monotonic() + PATIENCE_S
        while open_files() > before and time.monotonic() < deadline:
            time.sleep(0.05)  # The server, in this process too, has yet to see that its clients are gone.
        assert open_files() <= before
