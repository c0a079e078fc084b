# SPDX-License-Identifier: Apache-2.0
"""What all the runs beside one neighbour recorded, by who recorded it."""

from __future__ import annotations

from typing import Any

from ..support.neighbours.expectations import Neighbour


class Recorded:
    """What all the runs beside one neighbour recorded."""

    def __init__(self, neighbour: Neighbour, runs: dict[str, dict[str, Any]]) -> None:
        self.neighbour = neighbour
        self._runs = runs

    def __getitem__(self, run: str) -> dict[str, Any]:
        return self._runs[run]

    def spans(self, run: str, *, theirs: bool) -> dict[str, list[dict[str, Any]]]:
        """A call → the spans of the neighbour, and of what it brings along, or else those of the SDK and after200."""
        return {
            call: [span for span in spans if span["scope"].startswith(OURS) is not theirs]
            for call, spans in self[run]["spans"].items()
        }

    def points(self, run: str, *, theirs: bool) -> dict[str, Any]:
        """Scope → series → value."""
        return {scope: points for scope, points in self[run]["points"].items() if (scope == "after200") is not theirs}

    def metrics(self, run: str, *, theirs: bool) -> set[str]:
        """The names of all metrics."""
        return {series.partition(" ")[0] for points in self.points(run, theirs=theirs).values() for series in points}

    def records(self, run: str, *, theirs: bool) -> list[Any]:
        return [record for record in self[run]["records"] if (record[0] == "after200") is not theirs]


OURS = ("after200", "com.anthropic.sdk")
"""Whose spans a call has without a neighbour."""
