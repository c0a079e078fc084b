# SPDX-License-Identifier: Apache-2.0
"""Waits until the series of this check are in a Prometheus; where they do not come, finds out what is there instead.

In come a URL, the check's model and the counts to find; out go the counts found, or a `Missing` that says why not.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from after200 import names
from after200.cli.verify.endings import READ, Ending, ending_of
from after200.cli.verify.web import WebError, get_json
from after200.monitoring.naming import label, metric_name

CALLS = metric_name(names.CALLS)
MODEL = label(names.REQUEST_MODEL)
POLL_S = 0.5


@dataclass(frozen=True)
class Missing:
    """Why the series were not found: a kind (see `diagnoses.backend`), and what was seen."""

    kind: str
    detail: str = ""


class Prometheus:
    """One Prometheus, or anything with its query interface."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url.rstrip("/")
        self._headers = headers
        self.labels: set[str] = set()
        """Those of the series that were found."""

    def wait_for(self, model: str, expected: Counter[Ending], seconds: float) -> tuple[Counter[Ending], Missing | None]:
        """Wait until the counts are those; 0 stands for a series that is to be there and at zero."""
        deadline = time.monotonic() + seconds
        while True:
            found: Counter[Ending] = Counter()
            try:
                for labels, value in self.series(f'{CALLS}{{{MODEL}="{model}"}}'):
                    found[_ending(labels)] += int(value)
                    self.labels |= labels.keys()
                if all(found.get(ending) == number for ending, number in expected.items()):
                    return found, None
                wrong: WebError | None = None
            except WebError as error:
                wrong = error
                if error.reached:
                    return found, Missing("not_prometheus", str(error))
            if time.monotonic() >= deadline:
                return found, Missing("unreachable", str(wrong)) if wrong else self._explain(found, expected)
            time.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))

    def series(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The labels and the value of each series that an instant query finds."""
        answer = self.get("query", {"query": expression})
        try:
            return [(entry["metric"], float(entry["value"][1])) for entry in answer["result"]]
        except (KeyError, TypeError, ValueError, IndexError):
            raise WebError(f"{self.url} answers, but not as a Prometheus does", reached=True) from None

    def get(self, what: str, parameters: Mapping[str, str]) -> Any:
        """The `data` of an answer of the interface."""
        answer = get_json(f"{self.url}/api/v1/{what}", parameters, self._headers)
        if not isinstance(answer, dict) or "data" not in answer:
            raise WebError(f"{self.url} answers, but not as a Prometheus does", reached=True)
        return answer["data"]

    def _explain(self, found: Counter[Ending], expected: Counter[Ending]) -> Missing:
        if found:
            wrong = [
                f"{ending}: {found.get(ending, 'no series')} instead of {number}"
                for ending, number in expected.items()
                if found.get(ending) != number
            ]
            return Missing("counts", "; ".join(wrong))
        try:
            named = [name for name in self.get("label/__name__/values", {}) if re.search(r"after200[._]calls", name)]
            if CALLS not in named:
                return Missing("renamed", ", ".join(named)) if named else Missing("nothing", self._targets())
            without = self.series(f'{CALLS}{{{MODEL}=""}}')
        except WebError as error:
            return Missing("unreachable", str(error))
        if without:
            return Missing("labels", ", ".join(sorted(without[0][0].keys() - {"__name__"})))
        return Missing("elsewhere", self._targets())

    def _targets(self) -> str:
        try:
            targets = self.get("targets", {"state": "active"})["activeTargets"]
        except (WebError, KeyError, TypeError):  # not every store with this interface scrapes
            return ""
        down = [
            f"{target['scrapeUrl']} is {target['health']}: {target['lastError']}"
            for target in targets
            if target["health"] != "up"
        ]
        up = [target["scrapeUrl"] for target in targets if target["health"] == "up"]
        return "; ".join([*down, "it scrapes " + (", ".join(up) or "nothing that is up")])


def _ending(labels: Mapping[str, str]) -> Ending:
    return ending_of({name: labels.get(label(name)) for name in READ})
