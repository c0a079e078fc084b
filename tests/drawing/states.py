# SPDX-License-Identifier: Apache-2.0
"""The situations that every dashboard is drawn in: what is chosen of which episode, at which widths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.monitoring.episodes import CALM_DAY, FORTY_MODELS, SOME_DAYS, STORM_EPISODE, TRICKLE, Episode
from tests.support.monitoring.programs import DASHBOARDS
from tests.support.monitoring.replayed import Kind, prepare, serve
from tests.support.monitoring.servers import Prometheus

from .checker import State
from .drawing import Order

NOTHING = "nothing"
"""The name of an empty database."""
BOARDS = sorted((DASHBOARDS / "grafana").glob("*.json"))


@dataclass(frozen=True)
class Situation:
    """A state, and how it comes about: an episode (None: an empty Prometheus) and what is chosen of it."""

    state: State
    episode: Episode | None
    query: str
    widths: tuple[int, ...] = (1600, 1280)
    hover: bool = False

    kind: Kind = "classic"
    boards: tuple[str, ...] = ()
    """The dashboards that are drawn, by the ends of their names; all of them when there is none here."""
    long: bool = False
    """Whether making its calls takes a minute: `make boards` and `make long` draw it, CI does not."""

    @property
    def database(self) -> str:
        """The name of the database that `prepare` makes for it."""
        return f"{self.episode.name}-{self.kind}" if self.episode else NOTHING

    def orders(self, prometheus: str, folder: Path, boards: list[Path]) -> Iterator[Order]:
        """The dashboards to draw; `folder` has a folder for each episode."""
        episode = self.episode or STORM_EPISODE
        kept = folder / self.episode.name if self.episode else None
        for board in boards:
            if self.boards and not board.stem.endswith(self.boards):
                continue
            yield Order(
                name=f"{board.stem}-{self.state.name}",
                board=board.resolve(),
                prometheus=prometheus,
                start=episode.start * 1000,
                end=episode.end * 1000,
                widths=self.widths,
                query=self.query,
                traces=kept and kept / "traces.json",
                logs=kept and kept / "logs.json",
                hover=self.hover,
            )


SITUATIONS = (
    Situation(State("five-models", whole=True), STORM_EPISODE, "rows=open", hover=True),
    Situation(State("storm", folded=True), STORM_EPISODE, "var-job=chat&var-job=support-bot"),
    Situation(State("one-model"), STORM_EPISODE, "rows=open&var-model=claude-sonnet-5"),
    Situation(State("native-histograms", whole=True), STORM_EPISODE, "rows=open", (1600,), kind="native"),
    Situation(State("forty-models", crowd=True), FORTY_MODELS, "rows=open", (1600, 1280)),
    Situation(State("trickle", trickle=True), TRICKLE, "rows=open", (1280,)),
    Situation(State("first-hour", young=True), STORM_EPISODE, "rows=open", (1600, 1280), boards=("budget",)),
    Situation(
        State("some-days", whole=True, old=True), SOME_DAYS, "rows=open", (1600, 1280), boards=("budget",), long=True
    ),
    Situation(State("calm-day", calm=True), CALM_DAY, "rows=open"),
    Situation(State("no-data", empty=True), None, "rows=open"),
)


@contextmanager
def served(folder: Path, situations: Sequence[Situation]) -> Iterator[dict[str, Prometheus]]:
    """A server for each database of the situations, by its name; the calls are made in the folder first.

    One server, since Prometheus locks its database: several situations look at one episode.
    """
    databases = prepare(folder, kinds(situations))
    (folder / NOTHING).mkdir()
    databases[NOTHING] = folder / NOTHING / "database"
    with ExitStack() as stack:
        yield {name: stack.enter_context(serve(database)) for name, database in databases.items()}


def kinds(situations: Iterable[Situation]) -> dict[str, tuple[Kind, ...]]:
    """The episodes that the situations need, each with the kinds of histograms."""
    found: dict[str, tuple[Kind, ...]] = {}
    for situation in situations:
        if situation.episode:
            before = found.get(situation.episode.name, ())
            found[situation.episode.name] = tuple(dict.fromkeys((*before, situation.kind)))
    return found
