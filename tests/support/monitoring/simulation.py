# SPDX-License-Identifier: Apache-2.0
"""What a page's condition does with days of calls that arrive at random: the tables of docs/what-wakes-you.md.

    python -m tests.support.monitoring.simulation      writes them into the page

This is the condition of `after200.monitoring.symptoms` written a second time, without Prometheus: counts for each 15 s
go in, the times at which pages begin come out. `tests/monitoring` compares it with promtool, call for call.
"""

from __future__ import annotations

import math
import random
import re
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from statistics import median
from typing import Final

from after200.monitoring.policy import Policy
from after200.monitoring.windows import seconds

from .arrivals import STEP, Traffic
from .programs import ROOT

PAGE: Final = ROOT / "docs" / "what-wakes-you.md"
RATES: Final = (5, 10, 20, 60, 200, 600)
"""Calls a minute."""
STEADY: Final = (0.005, 0.01, 0.02, 0.03)
OUTAGES: Final = (0.1, 0.2, 0.5, 1.0)
DAYS: Final = 4
TRIALS: Final = 60
LEAD: Final = 80
"""Steps with 0.2 % of failures before an outage."""
PATIENCE: Final = 80
"""Steps after which an outage counts as not paged."""


def pages(calls: Sequence[int], failures: Sequence[int], policy: Policy, critical: float = 0.05) -> Iterator[int]:
    """The steps at which a page begins. `calls` and `failures` came in the 15 s before each step."""
    all_calls, all_failures = ([0, *accumulate(counts)] for counts in (calls, failures))
    fast, middle, slow = (int(seconds(window)) // STEP for window in policy.windows)
    hold, keep = (int(seconds(time)) // STEP for time in (policy.critical_hold, policy.critical_keep))
    held, last_true = 0, -(10**9)
    for step in range(1, len(all_calls)):

        def within(counts: Sequence[int], window: int, step: int = step) -> int:
            return counts[step] - counts[max(0, step - window)]

        true = any(
            (found := within(all_failures, window)) - policy.evidence * math.sqrt(found)
            > critical * within(all_calls, window)
            and (window != slow or within(all_failures, middle) >= 2)
            for window in (fast, middle, slow)
        )
        if true:
            now = within(all_calls, fast)
            true = not (now >= policy.end_calls and within(all_failures, fast) <= critical * now)
        held = held + 1 if true else 0
        # An alert that was kept firing goes on without holding anew.
        if true and held > hold and step - last_true > keep + 1:
            yield step - 1
        if held > hold or (true and step - last_true <= keep + 1):
            last_true = step


def steps_of(traffic: Traffic) -> tuple[list[int], list[int]]:
    """The calls of each step, and the failures among them."""
    calls, failures = [0] * (traffic.steps + 1), [0] * (traffic.steps + 1)
    for when, failed in traffic.calls():
        step = min(traffic.steps, int(when // STEP) + 1)
        calls[step] += 1
        failures[step] += failed
    return calls, failures


def poisson(mean: float, chance: random.Random) -> Callable[[], int]:
    """Draws from a Poisson distribution."""
    term, terms = math.exp(-mean), []
    for n in range(1, int(mean + 12 * math.sqrt(mean) + 12)):
        terms.append(term)
        term *= mean / n
    bounds = list(accumulate(terms))
    return lambda: bisect(bounds, chance.random())


def drawn(rate: float, share: float, steps: int, chance: random.Random) -> tuple[list[int], list[int]]:
    """The calls of so many steps, and the failures among them."""
    failing, working = (poisson(rate * STEP / 60 * part, chance) for part in (share, 1 - share))
    failures = [failing() for _ in range(steps)]
    return [failed + working() for failed in failures], failures


def pages_a_day(rate: float, share: float, policy: Policy) -> str:
    """How often a steady share of failures pages."""
    chance = random.Random(f"{rate} {share}")
    return f"{sum(1 for _ in pages(*drawn(rate, share, DAYS * 86400 // STEP, chance), policy)) / DAYS:g}"


def seconds_to_the_page(rate: float, share: float, policy: Policy) -> list[float]:
    """How long each of some outages takes to page; an outage begins anywhere between two scrapes."""
    chance, found = random.Random(f"{rate} {share} outage"), []
    for _ in range(TRIALS):
        before, during = drawn(rate, 0.002, LEAD, chance), drawn(rate, share, PATIENCE, chance)
        calls, failures = (lead + storm for lead, storm in zip(before, during, strict=True))
        page = next((step for step in pages(calls, failures, policy) if step >= LEAD), math.inf)
        found.append((page - LEAD + 1) * STEP)
    return found


def tables(policy: Policy) -> dict[str, str]:
    """Both tables, by the names under which the page has them."""
    head = ["| share of failures | " + " | ".join(f"{rate} calls/min" for rate in RATES) + " |"]
    head += ["|---" * (len(RATES) + 1) + "|"]
    cells: dict[str, tuple[tuple[float, ...], Callable[[float, float, Policy], str]]] = {
        "quiet": (STEADY, pages_a_day),
        "soon": (OUTAGES, spread),
    }
    return {
        name: "\n".join(
            [
                *head,
                *(
                    f"| {share * 100:g} % | " + " | ".join(cell(rate, share, policy) for rate in RATES) + " |"
                    for share in shares
                ),
            ]
        )
        for name, (shares, cell) in cells.items()
    }


def table_of(page: str, name: str) -> tuple[str, str, str]:
    """The page before its table of this name, the table, and the page after it."""
    found = re.search(rf"(.*<!-- {name}: [^>]*-->\n\n)((?:\|[^\n]*\n)*)(.*)", page, re.DOTALL)
    if found is None:
        raise ValueError(f"the page has no comment <!-- {name}: ... --> before a table")
    return found[1], found[2].rstrip("\n"), found[3]


def spread(rate: float, share: float, policy: Policy) -> str:
    """The median and the 90th percentile, in s; `none` where fewer outages page at all."""
    found = seconds_to_the_page(rate, share, policy)
    return " / ".join(f"{value:.0f}" if value < math.inf else "none" for value in (median(found), tenth_worst(found)))


def tenth_worst(found: list[float]) -> float:
    return sorted(found)[math.ceil(0.9 * len(found)) - 1]


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    for table, rows in tables(Policy()).items():
        above, _, below = table_of(text, table)
        text = f"{above}{rows}\n{below}"
    PAGE.write_text(text, encoding="utf-8")
