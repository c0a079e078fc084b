# SPDX-License-Identifier: Apache-2.0
"""The situations that every dashboard is drawn in: what is chosen of which episode, at which widths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.monitoring.episodes import CALM_DAY, STORM_EPISODE, Episode
from tests.support.monitoring.programs import DASHBOARDS

from .checker import State
from .drawing import Order

BOARDS = sorted((DASHBOARDS / "grafana").glob("*.json"))


@dataclass(frozen=True)
class Situation:
    """A state, and how it comes about: an episode (None: an empty Prometheus) and what is chosen of it."""

    state: State
    episode: Episode | None
    query: str
    widths: tuple[int, ...] = (1600, 1280)
    hover: bool = False

    def orders(self, prometheus: str, traces: Path | None, boards: list[Path]) -> Iterator[Order]:
        episode = self.episode or STORM_EPISODE
        for board in boards:
            yield Order(
                name=f"{board.stem}-{self.state.name}",
                board=board.resolve(),
                prometheus=prometheus,
                start=episode.start * 1000,
                end=episode.end * 1000,
                widths=self.widths,
                query=self.query,
                traces=traces,
                hover=self.hover,
            )


SITUATIONS = (
    Situation(State("five-models", whole=True), STORM_EPISODE, "rows=open", hover=True),
    Situation(State("storm", folded=True), STORM_EPISODE, "var-job=chat&var-job=support-bot"),
    Situation(State("one-model"), STORM_EPISODE, "rows=open&var-model=claude-sonnet-5"),
    Situation(State("calm-day", calm=True), CALM_DAY, "rows=open"),
    Situation(State("no-data", empty=True), None, "rows=open"),
)
