# SPDX-License-Identifier: Apache-2.0
"""Series of counters → how many calls ended how, in all, by model, by failure and step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from after200 import names
from after200.cli.endings import Ending, Totals, ending_of, totals
from after200.cli.report.incident import OURS, OWN_TIMEOUT, PROVIDER, WHOSE, Entry, Failed, Incident, OfModel, Step


class Counted(NamedTuple):
    """One series of a counter: its attributes as text, and its increase in each step of the window."""

    attributes: Mapping[str, str]
    steps: tuple[float, ...]

    @property
    def total(self) -> float:
        """The increase in the whole window."""
        return sum(self.steps)


def add_calls(incident: Incident, series: Sequence[Counted]) -> None:
    """Adds what the series of `after200.calls` say."""
    for each in series:
        if number := round(each.total):
            incident.calls[ending_of(each.attributes)] += number
    incident.models, incident.failed = grouped((each.attributes, round(each.total)) for each in series)
    incident.steps = [
        step_of(incident.begin + at * incident.step, at, series) for at in range(max(map(_length, series), default=0))
    ]


def grouped(counts: Iterable[tuple[Mapping[str, object], int]]) -> tuple[list[OfModel], list[Failed]]:
    """Returns calls by model, the worst first, and failed calls by how they failed, the most frequent first.

    In come the attributes of each series of `after200.calls` with a number of calls.
    """
    models: dict[tuple[str, str], Counter[Ending]] = {}
    failed: Counter[Failed] = Counter()
    for attributes, number in counts:
        if not number:
            continue
        ending = ending_of(attributes)
        provider, model = (str(attributes.get(name) or "") for name in (names.PROVIDER_NAME, names.REQUEST_MODEL))
        models.setdefault((provider, model), Counter())[ending] += number
        if ending.is_error:
            failed[failed_of(ending, attributes)] += number
    of_models = [OfModel(*key, totals(calls)) for key, calls in models.items()]
    of_models.sort(key=lambda each: (*_worst(each.ended), each.model))
    of_failures = [each._replace(calls=number) for each, number in failed.items()]
    return of_models, sorted(of_failures, key=lambda each: (-each.calls, str(each)))


def entries_of(series: Sequence[Counted], by: str) -> list[Entry]:
    """Returns the calls by their value of the attribute `by`, the worst first."""
    found: dict[str, Counter[Ending]] = {}
    for each in series:
        if number := round(each.total):
            found.setdefault(each.attributes.get(by, ""), Counter())[ending_of(each.attributes)] += number
    entries = [Entry(value, totals(calls)) for value, calls in found.items()]
    return sorted(entries, key=lambda each: (*_worst(each.ended), each.value))


def _worst(ended: Totals) -> tuple[int, ...]:
    return (-ended.hidden, -ended.failed, -ended.calls)


def _length(series: Counted) -> int:
    return len(series.steps)


def step_of(time: float, at: int, series: Sequence[Counted]) -> Step:
    """Returns the step with the index `at`."""
    endings: Counter[Ending] = Counter()
    types: Counter[str] = Counter()
    for each in series:
        number = round(each.steps[at])
        if number:
            ending = ending_of(each.attributes)
            endings[ending] += number
            if ending.error_type is not None:
                types[ending.error_type] += number
    return Step(time, totals(endings), types)


def failed_of(ending: Ending, attributes: Mapping[str, object]) -> Failed:
    """Returns in what way a call failed, without a number of calls."""
    failure = str(attributes.get(names.FAILURE) or "other")
    error_type = ending.error_type or ""
    whose = OURS if error_type == OWN_TIMEOUT else WHOSE.get(failure, PROVIDER)
    code = str(attributes.get(names.ERROR_CODE) or "")
    return Failed(failure, error_type, code, ending.status, ending.wire_status, whose, 0)


def summed(series: Iterable[Counted], attribute: str) -> Counter[str]:
    """Returns the increases by the value of an attribute, in whole numbers; "" where it is absent."""
    found: Counter[str] = Counter()
    for each in series:
        found[each.attributes.get(attribute, "")] += round(each.total)
    return +found
