# SPDX-License-Identifier: Apache-2.0
"""The page *What wakes you, and what does not* says what the simulation says, and the simulation what promtool says."""

from __future__ import annotations

from pathlib import Path

from after200.monitoring.policy import Policy

from ..support.monitoring.arrivals import STEP, outage, stretches_with_an_outage
from ..support.monitoring.questions import PAGES, ask, first, together
from ..support.monitoring.simulation import PAGE, pages, steps_of, table_of, tables


def test_the_tables_of_the_page_are_those_of_the_simulation() -> None:
    page = PAGE.read_text(encoding="utf-8")
    expected = tables(Policy())
    assert expected == {name: table_of(page, name)[1] for name in expected}


def test_the_simulation_pages_when_prometheus_does(tmp_path: Path) -> None:
    cells = [outage(f"a fifth of {rate}", rate, 0.2, calm=900, seed=rate) for rate in (20, 60, 200)]
    end = max(traffic.steps for traffic in cells) * STEP
    (begun,) = ask(together(cells), [(end, first(PAGES, f"{end}s"))], tmp_path)
    simulated = {(one.job,): float(next(iter(pages(*steps_of(one), Policy()))) * STEP) for one in cells}
    assert simulated == begun


def test_a_month_with_ten_outages_has_ten_pages() -> None:
    month = stretches_with_an_outage(seed=1)
    woken = {one.job: [step * STEP - one.begin_of(1) for step in pages(*steps_of(one), Policy())] for one in month}
    assert 30 * 86400 == sum(one.begin_of(3) for one in month)
    assert {} == {job: after for job, after in woken.items() if len(after) != 1 or not 0 <= after[0] <= 300}
