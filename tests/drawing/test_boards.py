# SPDX-License-Identifier: Apache-2.0
"""The committed dashboards, drawn with Grafana's own libraries against a real Prometheus.

Also here, because it needs the same data: every query of every panel answers with classic and with native histograms.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.monitoring.episodes import STORM_EPISODE
from tests.support.monitoring.programs import DASHBOARDS, program
from tests.support.monitoring.queries import NEEDS_DAYS, judged_after, panel_queries, panels_of, substituted
from tests.support.monitoring.servers import Prometheus

from .breakages import BREAKAGES, planted
from .checker import State, check, dead
from .drawing import Order, build, check_types, draw, missing
from .states import BOARDS, SITUATIONS, Situation, served

EVERY_DRAWING = "AFTER200_EVERY_DRAWING" in os.environ
DRAWN = tuple(situation for situation in SITUATIONS if EVERY_DRAWING or not situation.long)


@dataclass(frozen=True)
class Episodes:
    """Running servers, by episode and kind of histogram, and the folder of the episodes."""

    servers: dict[str, Prometheus]
    folder: Path


@pytest.fixture(scope="module")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Episodes]:
    for name in ("replay", "prometheus3"):
        program(name)
    folder = tmp_path_factory.mktemp("episodes")
    with served(folder, DRAWN) as servers:
        yield Episodes(servers, folder)


@pytest.fixture(scope="module")
def page() -> None:
    if lacking := missing():
        pytest.skip(lacking)
    build()


@pytest.fixture(scope="module")
def drawn(episodes: Episodes, page: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What can be seen of every dashboard in every situation, by the situation's name.

    The first situation is drawn at each width. Of the others every third dashboard is drawn, at one width, in turn;
    those whose calls take long are left out. `make long` (AFTER200_EVERY_DRAWING) draws all, as `make boards` does.
    """
    orders: list[Order] = []
    for place, situation in enumerate(DRAWN):
        widths, boards = situation.widths, BOARDS
        if place and not EVERY_DRAWING:
            widths = widths[place % len(widths) :][:1]
            boards = boards if situation.boards else boards[place % 3 :: 3]
        server = episodes.servers[situation.database]
        orders += replace(situation, widths=widths).orders(server.url, episodes.folder, boards)
    seen = draw(orders, tmp_path_factory.mktemp("drawn"))
    return {
        situation.state.name: [one for one in seen if one["name"].endswith(f"-{situation.state.name}")]
        for situation in DRAWN
    }


@pytest.mark.parametrize("state", [situation.state for situation in DRAWN], ids=lambda state: state.name)
def test_a_reader_stumbles_over_nothing(state: State, drawn: dict[str, list[dict[str, Any]]]) -> None:
    seen = drawn[state.name]
    assert seen
    assert [] == [finding for one in seen for finding in check(one, state)]


def test_exemplars_are_drawn_and_lead_to_a_trace(drawn: dict[str, list[dict[str, Any]]]) -> None:
    seen = [panel for one in drawn["five-models"] for panel in one["panels"] if panel["exemplars"]]
    assert {"How long calls took that failed"} == {panel["title"] for panel in seen}


def test_links_of_panels_and_alerts_lead_somewhere() -> None:
    for board in BOARDS:
        model = json.loads(board.read_text(encoding="utf-8"))
        for panel in (*model["panels"], *(one for row in model["panels"] for one in row.get("panels", ()))):
            assert [] == [text for link in panel.get("links", ()) if (text := dead(link["url"]))], panel["title"]


def test_the_sources_of_the_page_are_typed(page: None) -> None:
    assert "" == check_types()


def test_a_panel_that_repeats_is_drawn_once_for_each_value(episodes: Episodes, page: None, tmp_path: Path) -> None:
    """None of ours does. The drawing can, so that one that does will be seen."""
    model = json.loads((DASHBOARDS / "grafana/after200-calls.json").read_text(encoding="utf-8"))
    panel = next(one for one in model["panels"] if one["title"] == "Calls judged")
    panel |= {"title": "Calls of $model", "repeat": "model", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 5}}
    board = tmp_path / "repeating.json"
    board.write_text(json.dumps({**model, "panels": [panel]}), encoding="utf-8")
    start, end = STORM_EPISODE.start * 1000, STORM_EPISODE.end * 1000
    (seen,) = draw([Order("repeating", board, episodes.servers["storm-classic"].url, start, end, (1600,))], tmp_path)
    models = sorted(model for job in STORM_EPISODE.jobs.values() for model in job)
    assert [f"Calls of {model}" for model in models] == [panel["title"] for panel in seen["panels"]]
    counts = [int(panel["values"][0]["text"].replace(",", "")) for panel in seen["panels"]]
    assert len(set(counts)) > 1
    assert min(counts) > 0


@pytest.fixture(scope="module")
def broken(episodes: Episodes, page: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The findings on each broken panel, by the name of the breakage. Those that fit on one dashboard share it."""
    folder, orders, sheets = tmp_path_factory.mktemp("broken"), [], planted()
    for number, (sheet, by_id) in enumerate(sheets):
        board = folder / f"{number}.json"
        board.write_text(json.dumps(sheet), encoding="utf-8")
        first = next(iter(by_id.values()))
        situation = Situation(first.state, first.episode, "rows=open", (1280,))
        (order,) = situation.orders(episodes.servers[situation.database].url, episodes.folder, [board])
        orders.append(order)
    found = {}
    for (_, by_id), seen in zip(sheets, draw(orders, folder), strict=True):
        assert by_id.keys() == {panel["id"] for panel in seen["panels"]}
        for panel in seen["panels"]:
            breakage = by_id[panel["id"]]
            found[breakage.name] = check({**seen, "panels": [panel]}, breakage.state)
    return found


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.name)
def test_a_planted_breakage_is_found(breakage: Any, broken: dict[str, list[str]]) -> None:
    found = broken[breakage.name]
    assert any(breakage.finding in text for text in found), found


# --- both kinds of histogram -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["classic", "native"])
def test_every_query_of_every_panel_answers(kind: str, episodes: Episodes) -> None:
    server = episodes.servers[f"storm-{kind}"]
    empty = {query.place for query in panel_queries() if not has_data(server, substituted(query.expr))}
    assert empty == {NEEDS_DAYS, *judged_after(3600)}


def test_panels_of_a_large_fleet_answer_from_what_the_rules_have_recorded(episodes: Episodes) -> None:
    server = episodes.servers["storm-classic"]
    recorded = [(query.place, query.expr) for query in panel_queries() if "$raw" in query.expr]
    assert len(recorded) > 30
    assert [] == [place for place, expr in recorded if not has_data(server, substituted(expr, {"$raw": ""}))]
    calls = next(expr for place, expr in recorded if "Calls judged" in place)
    values = [server.value(substituted(calls, {"$raw": raw}), time=str(STORM_EPISODE.end)) for raw in (".+", "")]
    assert values[0] == pytest.approx(values[1], rel=0.05)


@pytest.mark.parametrize(("recorded_from", "asks_series"), [(20_000, True), (10, False)])
def test_what_a_dashboard_reads_depends_on_the_number_of_series(
    recorded_from: int, asks_series: bool, episodes: Episodes
) -> None:
    pytest.importorskip("grafana_foundation_sdk", reason="no release of grafana-foundation-sdk supports this Python")
    from after200.monitoring.boards.counts import SOURCE_PATTERN, choice_of_source
    from after200.monitoring.policy import Policy

    query = choice_of_source(Policy(recorded_from=recorded_from)).removeprefix("query_result(").removesuffix(")")
    found = episodes.servers["storm-classic"].query(substituted(query), time=str(STORM_EPISODE.end))
    texts = [f'{{use="{one["metric"]["use"]}"}} 1' for one in found]
    values = [match[1] for text in texts if (match := re.search(SOURCE_PATTERN.strip("/"), text))]
    assert values == ([".+"] if asks_series else [])


def test_a_budget_is_judged_once_there_are_data_of_a_tenth_of_its_period(episodes: Episodes) -> None:
    pytest.importorskip("grafana_foundation_sdk", reason="no release of grafana-foundation-sdk supports this Python")
    from after200.monitoring.boards import budget
    from after200.monitoring.policy import Policy

    server, at = episodes.servers["storm-classic"], str(STORM_EPISODE.end)
    found = {}
    for period in ("6h", "30d"):
        policy = Policy(slo_period=period)
        panels = {panel["title"]: panel for panel in panels_of(budget.dashboard(policy).model(policy))}
        left = server.value(substituted(panels["Budget left"]["targets"][0]["expr"]), time=at)
        spent = server.query(substituted(panels["Budget spent"]["targets"][0]["expr"]), time=at)
        found[period] = (left == budget.TOO_EARLY, len(spent))
    burning = panels["Burn rate over 1h and 5m"]["targets"][0]["expr"]
    storm = str(STORM_EPISODE.start + 35 * 60)
    assert max(float(one["value"][1]) for one in server.query(substituted(burning), time=storm)) > 1
    models = [model for job in STORM_EPISODE.jobs.values() for model in job]
    assert {"6h": (False, len(models)), "30d": (True, 0)} == found


def has_data(server: Prometheus, query: str) -> bool:
    """Whether the query gives a number somewhere in the episode."""
    window = {"start": str(STORM_EPISODE.start), "end": str(STORM_EPISODE.end), "step": "60"}
    series: list[dict[str, Any]] = server.get("query_range", query=query, **window)["result"]
    return any(math.isfinite(float(value)) for one in series for _, value in one["values"])


def test_the_two_kinds_agree(episodes: Episodes) -> None:
    """Quantiles of the same calls differ by no more than the width of a bucket, counts by nothing."""
    quantile = "histogram_quantile(0.95, sum by (le) (rate(gen_ai_client_operation_duration_seconds_bucket[30m])))"
    native = "histogram_quantile(0.95, sum(rate(gen_ai_client_operation_duration_seconds[30m])))"
    at = str(STORM_EPISODE.end)
    one, other = (
        episodes.servers["storm-classic"].value(quantile, time=at),
        episodes.servers["storm-native"].value(native, time=at),
    )
    assert one is not None
    assert other is not None
    assert 0.4 < one / other < 2.5
    streams = "sum(model:after200_streams_ended:increase5m)"
    classic, exponential = (episodes.servers[f"storm-{kind}"].value(streams, time=at) for kind in ("classic", "native"))
    assert classic == pytest.approx(exponential, rel=0.1)
