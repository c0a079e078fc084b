# SPDX-License-Identifier: Apache-2.0
"""What wakes somebody, and how soon, when calls arrive at random: the committed rules, judged by promtool.

Each table is one run of promtool, with a job for each of its cells. The ordinary run takes some cells, by the rule that
stands with the table; `make long` (AFTER200_WHOLE_GRID) takes them all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from after200.monitoring.alerts.inhibition import INHIBITIONS

from ..support.monitoring.arrivals import (
    KINDS,
    STEP,
    Phase,
    Traffic,
    outage,
    rolling_deploy,
    stretches_with_an_outage,
)
from ..support.monitoring.questions import (
    PAGES,
    ask,
    episodes,
    first,
    how_often,
    last,
    last_seen,
    together,
)

WHOLE = "AFTER200_WHOLE_GRID" in os.environ
SEEDS = 5

OUTAGES = (
    # share of the calls that fail, calls a minute, seconds within which a page must come
    (1.0, 10, 120),
    (1.0, 60, 60),
    (1.0, 600, 60),
    (0.5, 20, 120),
    (0.5, 60, 60),
    (0.2, 60, 150),
    (0.2, 600, 75),
)
AGES_S = (600, 3600)
"""How old the data is when an outage begins."""
OLD_S = 36 * 3600
"""The age at which the window of a day is full. It takes minutes, so only the whole grid has it.

That of three days is never full here: a query of promtool reads at most 10,000 samples, which are 42 hours of 15 s.
"""
GRACE_S = 30
"""A page that was pending at the end of an outage may still begin within this time."""
OVER_S = 270
"""The last page is over within this time from the end."""


@dataclass(frozen=True)
class Cell:
    """One outage, and within how many seconds it must page."""

    traffic: Traffic
    within: float


def cell(
    kind: str, row: tuple[float, int, int], pods: int, seed: int, age: int = 3600, minutes: int = 10, also: str = ""
) -> Cell:
    share, rate, within = row
    kinds = f"{kind} and {also}" if also else kind
    job = f"{kinds}, {share:.0%} of {rate} for {minutes} min after {age} s, {pods} pods, seed {seed}"
    return Cell(outage(job, rate, share, minutes, age, kind=kind, also=also, pods=pods, seed=seed), within)


def batches() -> Iterator[Any]:
    """The cells that go through promtool together: all of a kind and an age, or one of each kind and one of two."""
    kinds = list(enumerate(KINDS))
    if WHOLE:
        for kind, pods, age in product(KINDS, (1, 50), AGES_S):
            cells = [cell(kind, row, pods, seed, age) for row, seed in product(OUTAGES, range(SEEDS))]
            yield pytest.param(cells, id=f"{kind}, {pods} pods, after {age} s")
        for pods in (1, 50):
            cells = [
                cell("hidden overload", row, pods, seed, also="truncated")
                for row, seed in product(OUTAGES, range(SEEDS))
            ]
            yield pytest.param(cells, id=f"two kinds in turn, {pods} pods")
        for n, kind in kinds:
            cells = [
                cell(kind, OUTAGES[(n + m) % len(OUTAGES)], 1, n, OLD_S, minutes) for m, minutes in ((0, 10), (1, 40))
            ]
            yield pytest.param(cells, id=f"{kind}, after {OLD_S} s")
    else:
        # The n-th kind in the n-th row, with fifty pods for every fourth, and new data for every other.
        cells = [cell(kind, OUTAGES[n % len(OUTAGES)], 1 if n % 4 else 50, n, AGES_S[n % 2]) for n, kind in kinds]
        cells.append(cell("hidden overload", (0.5, 60, 60), 1, 1, also="truncated"))
        yield pytest.param(cells, id="one of each kind, and two in turn")


@pytest.mark.parametrize("cells", list(batches()))
def test_an_outage_pages_soon_under_one_name_and_its_page_is_over_soon(cells: list[Cell], tmp_path: Path) -> None:
    end = max(one.traffic.steps for one in cells) * STEP
    over = f"{end}s"
    begins, begins_last, seen_last, names = ask(
        together(one.traffic for one in cells),
        [
            (end, first(PAGES, over)),
            (end, last(PAGES, over)),
            (end, last_seen(PAGES, over)),
            (end, how_often(PAGES, over, "job, alertname")),
        ],
        tmp_path,
    )
    wrong = []
    for one in cells:
        job, began, ended = (one.traffic.job,), one.traffic.begin_of(1), one.traffic.begin_of(2)
        paged = begins.get(job, float("inf")) - began
        if not 0 <= paged <= one.within:
            wrong.append(f"{one.traffic.job}: a page after {paged:.0f} s, not within {one.within:.0f} s")
            continue
        begin_late, over_after = begins_last[job] - ended, seen_last[job] + STEP - ended
        print(f"{one.traffic.job}: a page after {paged:.0f} s, over {over_after:.0f} s after the end")
        if begin_late > GRACE_S:
            wrong.append(f"{one.traffic.job}: a page begins {begin_late:.0f} s after the end")
        if over_after > OVER_S:
            wrong.append(f"{one.traffic.job}: a page is over {over_after:.0f} s after the end")
        critical = {alert: int(times) for (alert, name), times in names.items() if name == one.traffic.job}
        kinds = 2 if one.traffic.also else 1
        if len(critical) > 2 * kinds or len(sent(set(critical))) != kinds or max(critical.values()) > 1:
            wrong.append(f"{one.traffic.job}: {critical}")
    assert wrong == []


def sent(pages: set[str]) -> set[str]:
    """The pages of one model that are left when Alertmanager has inhibited the others."""
    silenced = {
        target
        for one in INHIBITIONS
        if one.source[0] == one.target[0] == "critical" and pages & set(one.source[1])
        for target in one.target[1]
    }
    return pages - silenced


STEADY = tuple(product((0.005, 0.01, 0.02, 0.03), (5, 10, 20, 60, 200, 600)))
"""Shares of failures that page nobody, and calls a minute."""
SOME_STEADY = ((0.03, 10), (0.03, 60), (0.01, 20))
"""Where the rules that judged by a plain share paged most: 93, 245 and 3 times a day."""


def steady() -> Iterator[Any]:
    """The cells that go through promtool together: one pod for a day, fifty for four hours."""
    if not WHOLE:
        yield pytest.param(SOME_STEADY, 1, 2, id="some cells")
        return
    for share in sorted({share for share, _ in STEADY}):
        yield pytest.param([cell for cell in STEADY if cell[0] == share], 1, 24, id=f"{share:.1%}, 1 pod")
        yield pytest.param([(share, rate) for rate in (10, 60, 600)], 50, 4, id=f"{share:.1%}, 50 pods")


@pytest.mark.parametrize(("cells", "pods", "hours"), list(steady()))
def test_a_steady_share_of_failures_pages_nobody(
    cells: list[tuple[float, int]], pods: int, hours: int, tmp_path: Path
) -> None:
    end = hours * 3600
    traffic = {
        f"{share:.1%} of {rate}": Traffic(f"{share:.1%} of {rate}", (Phase(end, rate, share),), pods=pods, seed=1)
        for share, rate in cells
    }
    # One page in 24 hours at most up to 1 %, one in 8 hours above.
    allowed = {job: hours / (24 if share <= 0.01 else 8) for job, (share, _) in zip(traffic, cells, strict=True)}
    (pages,) = ask(together(traffic.values()), [(end, episodes(PAGES, f"{hours}h"))], tmp_path)
    print({job: int(times) for (job,), times in pages.items()})
    assert {} == {job: times for (job,), times in pages.items() if times > max(1, allowed[job])}


def rare(kind: str, seed: int) -> Traffic:
    return Traffic(
        f"{kind}, one call in two minutes, seed {seed}",
        (Phase(3600, 0.5, 0), Phase(2400, 0.5, 1), Phase(1800, 0.5, 0)),
        kind,
        seed=seed,
        evenly=True,
    )


# Those of a kind go through promtool together: a query of it reads at most 10,000 samples.
RARE = (
    {kind: [rare(kind, seed) for seed in range(SEEDS)] for kind in KINDS}
    if WHOLE
    else {"one of two kinds": [rare("401", 0), rare("hidden overload", 1)]}
)


@pytest.mark.parametrize("cells", list(RARE.values()), ids=list(RARE))
def test_where_calls_are_rare_an_outage_pages_once_and_ends_with_the_first_success(
    cells: list[Traffic], tmp_path: Path
) -> None:
    end = max(traffic.steps for traffic in cells) * STEP
    over = f"{end}s"
    begins, seen_last, pages = ask(
        together(cells),
        [(end, first(PAGES, over)), (end, last_seen(PAGES, over)), (end, episodes(PAGES, over))],
        tmp_path,
    )
    wrong = []
    for traffic in cells:
        failures = [when for when, failed in traffic.calls() if failed]
        success = min(when for when, failed in traffic.calls() if not failed and when > failures[0])
        job = (traffic.job,)
        paged, over_after = begins[job] - failures[0], seen_last[job] + STEP - success
        print(f"{traffic.job}: a page after {paged:.0f} s, over {over_after:.0f} s after the first success")
        if paged > 900 or over_after > OVER_S or pages[job] != 1:
            wrong.append(f"{traffic.job}: {pages[job]:.0f} pages, after {paged:.0f} s, over after {over_after:.0f} s")
    assert wrong == []


PODS, ONE_AFTER_ANOTHER_S = (50, 20) if WHOLE else (10, 100)
CALM = (Phase(5400, 60, 0.002),)
STORM = (Phase(2700, 60, 0.002), Phase(600, 60, 0.3), Phase(2100, 60, 0.002))
FAILING_SOME = (Phase(3600, 60, 0.03), Phase(1800, 0, 0))
EVENTS = {
    # what happens, and how many times somebody is woken
    "a rolling deploy": (Traffic("rolling", CALM, lives=rolling_deploy(PODS, 2400, ONE_AFTER_ANOTHER_S)), 0),
    "a restart of all pods": (Traffic("restart", CALM, lives=rolling_deploy(PODS, 2700, 0)), 0),
    "a gap of ten minutes in the scrapes": (Traffic("gap", CALM, pods=10, gap=(2700, 3300)), 0),
    "a storm in a rolling deploy": (Traffic("storm", STORM, lives=rolling_deploy(PODS, 2400, ONE_AFTER_ANOTHER_S)), 1),
    "exports once a minute, a steady 2 %": (Traffic("exports", (Phase(5400, 60, 0.02),), exported=60), 0),
    "a storm that is exported once a minute": (Traffic("late storm", STORM, exported=60), 1),
    "a storm that is exported every 30 s": (Traffic("later storm", STORM, pods=10, exported=30), 1),
    "traffic that stops": (Traffic("stops", (Phase(3600, 60, 0.002), Phase(1800, 0, 0)), pods=10), 0),
    "traffic that stops while some calls fail": (Traffic("stops failing", FAILING_SOME, pods=10), 0),
    "pods that go for good while some calls fail": (
        Traffic("goes", FAILING_SOME, lives=((0, 3600),) * 10),
        0,
    ),
    "traffic that all but stops while some calls fail": (
        Traffic("night", (*FAILING_SOME[:1], Phase(1800, 0.2, 0.3)), pods=10),
        0,
    ),
}


def test_deploys_gaps_slow_exports_and_traffic_that_stops_page_only_where_there_is_a_storm(tmp_path: Path) -> None:
    (pages,) = ask(together(traffic for traffic, _ in EVENTS.values()), [(5400, episodes(PAGES, "90m"))], tmp_path)
    woken = {name: int(pages.get((traffic.job,), 0)) for name, (traffic, _) in EVENTS.items()}
    assert {name: times for name, (_, times) in EVENTS.items()} == woken


@pytest.mark.skipif(
    not WHOLE, reason="promtool takes long for days: `make long`; the simulation has a month every time"
)
def test_fifteen_days_with_ten_outages_wake_somebody_ten_times(tmp_path: Path) -> None:
    month = stretches_with_an_outage(seed=1, days=OLD_S / 86400)
    end = max(one.steps for one in month) * STEP
    over = f"{end}s"
    woken, begun, seen_last = ask(
        together(month),
        [(end, episodes(PAGES, over)), (end, first(PAGES, over)), (end, last_seen(PAGES, over))],
        tmp_path,
    )
    assert {(one.job,): 1.0 for one in month} == woken
    late = {one.job: (begun[one.job,] - one.begin_of(1), seen_last[one.job,] - one.begin_of(2)) for one in month}
    print(late)
    assert {} == {job: each for job, each in late.items() if not (0 <= each[0] <= 300 and each[1] <= OVER_S)}
