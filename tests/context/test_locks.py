# SPDX-License-Identifier: Apache-2.0
"""No object of the package holds a lock that a fork could leave held: each is made, and renewed, in `locks.py`."""

from __future__ import annotations

import contextlib
import gc
import queue
import sys
import threading
from collections import deque
from collections.abc import Iterator
from types import CellType, FunctionType, MethodType
from typing import Any

import anthropic
import pytest

from after200 import locks
from after200.faults import FaultServer

from ..support.patience import PATIENCE_S
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry

ELSEWHERE = ("after200.faults", "after200.cli", "after200.monitoring", "after200.testing")
"""Parts that run in processes of their own, or in tests."""

LOCKS = (
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Condition,
    threading.Event,
    threading.Semaphore,
    threading.Barrier,
    queue.Queue,
)
TRANSPARENT = (dict, list, tuple, set, frozenset, deque, MethodType, CellType, property)
"""What an object of ours holds through these, it holds itself."""


def is_ours(module: object) -> bool:
    return isinstance(module, str) and f"{module}.".startswith("after200.") and not module.startswith(ELSEWHERE)


def objects_of_the_package() -> Iterator[tuple[str, Any]]:
    """Yields everything that lives and is the package's: its modules, classes, functions, and their instances."""
    for name, module in list(sys.modules.items()):
        if is_ours(name):
            for attribute, value in vars(module).items():
                if is_ours(getattr(value, "__module__", name)):
                    yield f"{name}.{attribute}", value
    for found in gc.get_objects():
        kind = type(found)
        if is_ours(kind.__module__):
            yield f"an object of {kind.__module__}.{kind.__qualname__}", found
        elif isinstance(found, type) and is_ours(found.__module__):
            yield f"class {found.__module__}.{found.__qualname__}", vars(found)


def locks_in(owner: Any) -> Iterator[Any]:
    """Yields the locks that `owner` refers to, directly or through containers, functions and what they close over."""
    seen: set[int] = set()
    waiting = [owner]
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, LOCKS):
            yield found
        elif isinstance(found, FunctionType):
            if is_ours(found.__module__):
                # What a function reads of its module is looked at as the module's.
                waiting += [each for each in gc.get_referents(found) if each is not found.__globals__]
        elif found is owner or isinstance(found, TRANSPARENT):
            waiting += gc.get_referents(found)


def locks_not_renewed() -> set[str]:
    return {
        name
        for name, owner in objects_of_the_package()
        if not isinstance(owner, locks.Lock | type(sys)) and any(locks_in(owner))
    }


@pytest.fixture
def at_work(server: FaultServer, telemetry: Telemetry) -> Iterator[None]:
    """Everything that the package makes: calls of every kind, some of them still open, and a collection."""
    with telemetry.instrumented(chunk_timing=True):
        client = anthropic.Anthropic(api_key="none", base_url=server.url, max_retries=1)
        for scenario in ("rate_limits", "server_tools_mixed", "refusal", "http_529_then_completed", "http_400"):
            with contextlib.suppress(anthropic.APIError):
                list(client.copy(base_url=server.base_url(scenario)).messages.create(**REQUEST, stream=True))
        held = client.copy(base_url=server.base_url("completed")).messages.create(**REQUEST, stream=True)
        next(held)
        telemetry.metrics_data()
        yield
        held.close()


@pytest.mark.usefixtures("at_work")
def test_no_object_of_the_package_holds_a_lock_that_is_not_renewed_in_a_forked_process() -> None:
    assert set() == locks_not_renewed()
    assert any(isinstance(found, locks.Lock) for _, found in objects_of_the_package())


class Planted:
    """Stands for a lock that somebody adds."""

    __module__ = "after200.planted"

    def __init__(self, lock: Any) -> None:
        self.kept = {"in": [lock]}


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock, threading.Event, queue.Queue])
def test_a_lock_that_is_made_elsewhere_is_found(make: Any) -> None:
    planted = Planted(make())
    assert {"an object of after200.planted.Planted"} == locks_not_renewed()
    del planted


def test_a_lock_that_the_parent_holds_is_free_after_a_fork() -> None:
    lock = locks.Lock()
    with lock:
        assert not lock.acquire(blocking=False)
        locks.after_fork()
        assert lock.acquire(blocking=False)
    assert lock.acquire(blocking=False)


def test_a_claim_is_taken_once_whoever_asks() -> None:
    claims: list[locks.Claim] = [[None] for _ in range(500)]
    start = threading.Barrier(4)
    taken: list[int] = []

    def ask() -> None:
        start.wait(PATIENCE_S)
        taken.extend(number for number, claim in enumerate(claims) if locks.take(claim))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert list(range(500)) == sorted(taken)
