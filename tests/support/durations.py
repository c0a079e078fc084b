# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin of `make test`: at the end it says how long the tests of each folder took.

Two figures: the seconds that passed, and those of a processor, with the processes that the tests started and ended. The
second one hardly depends on what else the machine has to do.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from .warm import WARM

TESTS = "tests"


@dataclass
class Cost:
    """What the tests of one folder took."""

    tests: int = 0
    seconds: float = 0.0
    """How long they ran, one after the other."""

    cpu: float = 0.0
    """The seconds of a processor that they and their processes used."""


def _cpu() -> float:
    return sum(os.times()[:4]) + WARM.cpu


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, pytest.TestReport]:
    """Writes down what has been used since the last report; pytest-xdist hands it on with the report."""
    report: Any = yield
    now = _cpu()
    report.cpu = now - item.config.stash.get(_BEFORE, now)
    item.config.stash[_BEFORE] = now
    return report  # type: ignore[no-any-return]


_BEFORE = pytest.StashKey[float]()


@pytest.hookimpl(tryfirst=True)  # That of pytest-xdist runs all tests of a worker, and is the last to be called.
def pytest_runtestloop(session: pytest.Session) -> None:
    """What collecting took is no test's."""
    session.config.stash[_BEFORE] = _cpu()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints the table; a worker process of pytest-xdist has no such summary."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    costs = by_folder(report for report in reports if isinstance(report, pytest.TestReport))
    if costs:
        terminalreporter.section("durations by folder")
        for line in table(costs):
            terminalreporter.write_line(line)


def by_folder(reports: Iterable[Any]) -> dict[str, Cost]:
    """The costs of the tests by the folder below `tests`; a test's setup, call and teardown each have a report."""
    costs: dict[str, Cost] = defaultdict(Cost)
    for report in reports:
        cost = costs[folder_of(report.nodeid)]
        cost.tests += report.when == "setup"
        cost.seconds += report.duration
        cost.cpu += getattr(report, "cpu", 0.0)
    return dict(costs)


def folder_of(nodeid: str) -> str:
    """The folder below `tests` of a test: "streams" of "tests/streams/test_calls.py::test"."""
    first, *rest = nodeid.partition("::")[0].split("/")
    return rest[0] if first == TESTS and len(rest) > 1 else first


def table(costs: Mapping[str, Cost]) -> list[str]:
    """The lines, what took longest first, and the sum."""
    rows = sorted(costs.items(), key=lambda row: -row[1].cpu)
    whole = Cost(*(sum(getattr(cost, name) for cost in costs.values()) for name in ("tests", "seconds", "cpu")))
    form = "{:<14}{:>8}{:>10}{:>10}"
    return [
        form.format("folder", "tests", "seconds", "CPU s"),
        *(
            form.format(name, cost.tests, f"{cost.seconds:.1f}", f"{cost.cpu:.1f}")
            for name, cost in [*rows, ("all", whole)]
        ),
    ]
