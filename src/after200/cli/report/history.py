# SPDX-License-Identifier: Apache-2.0
"""A Prometheus → the counts of a window of time, exactly: the raw values of each counter go in, increases come out.

`increase()` of PromQL extrapolates, and does not see the first value of a new series. A report must name the number of
calls, so the values themselves are asked for, a step at a time, and subtracted here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

from after200 import names
from after200.cli.marks import VERIFY_MODEL
from after200.cli.report.client import Client, UnusableError
from after200.cli.report.counting import Counted, add_calls, entries_of, summed
from after200.cli.report.incident import Alert, Incident, Limit, Wait
from after200.cli.report.window import Window
from after200.cli.report.wording import between
from after200.names.prometheus import label, metric_name, metric_names, name_of_gauge_without_suffix

MAX_SERIES: Final = 10_000
"""How many series of a counter are read at the most."""

LEAST_GAP: Final = 150
"""From so many seconds without a value on, values are missing: OpenTelemetry exports every 60 s by default."""

REMEMBERED: Final = "1h"
"""How long before the window a process may have been scraped last and still be known."""

ATTRIBUTES: Final = {label(name): name for metric in names.METRICS for name in metric.attributes}
"""Attributes by their names in Prometheus."""


class Series(NamedTuple):
    """The labels of a series, and its values with their times in seconds since 1970; at least one."""

    labels: dict[str, str]
    values: list[tuple[float, float]]

    @property
    def value(self) -> float:
        """The last value."""
        return self.values[-1][1]


class History:
    """What one Prometheus knows of a window.

    `job` narrows everything to the jobs of that name; `by` is an entry of `metric_baggage` to count calls by.
    """

    def __init__(self, client: Client, window: Window, job: str | None = None, by: str = "") -> None:
        self._client = client
        self._by = by
        self._window = window
        # Names of the calls of `after200 verify` are left out: they are made to fail.
        matchers = [f'{label(names.REQUEST_MODEL)}!~"{VERIFY_MODEL}.*"']
        if job is not None:
            matchers.append(f'job="{escaped(job)}"')
        self._matchers = ",".join(matchers)

    def read(self) -> Incident:
        """Returns everything that it knows."""
        window = self._window
        found = Incident(window.begin, window.end, window.step, "Prometheus")
        calls = self.increases(names.CALLS)
        add_calls(found, calls)
        found.by, found.entries = self._by, entries_of(calls, self._by) if self._by else []
        found.attempts = summed(self.increases(names.ATTEMPTS), names.WIRE_STATUS)
        waits = self.increases(names.RETRY_WAIT)
        found.retry_waits = {
            failure: round(seconds, 3) for failure in sorted({each.attributes.get(names.FAILURE, "") for each in waits})
            if (seconds := sum(each.total for each in waits if each.attributes.get(names.FAILURE, "") == failure)) > 0
        }  # fmt: skip
        found.answers = summed(self.increases(names.ANSWERS_RECEIVED), names.ANSWER)
        tokens = self.increases(names.TOKENS)
        found.tokens = summed(tokens, names.TOKEN_TYPE)
        wasted = (each for each in tokens if each.attributes.get(names.OUTCOME) in names.ERROR_OUTCOMES)
        found.wasted_tokens = summed(wasted, names.TOKEN_TYPE)
        found.waits = list(self.waits())
        found.limits = list(self.limits())
        found.alerts = sorted(self.alerts(), key=lambda each: (each.severity != "critical", each.begin, each.name))
        found.notes = list(self.notes(found))
        return found

    # --- counters ---

    def increases(self, metric: names.Metric) -> list[Counted]:
        """Returns the increase of each series in each step, with births, restarts and the ends of processes counted."""
        window, name = self._window, metric_name(metric)
        selector = f"{name}{{{self._matchers}}}"
        number = self._instant(f"how many series of {name}", f"count({selector})", window.end)
        if number and number[0].value > MAX_SERIES:
            raise UnusableError(f"{name} has more than {MAX_SERIES} series there: narrow it with --job")
        before = {
            frozenset(each.labels.items()): each.value
            for each in self._instant(f"{name} before", f"last_over_time({selector}[{REMEMBERED}]) > 0", window.begin)
        }
        # The last value in each step: a process that ended within it has none at its end.
        every = self._range(name, f"last_over_time({selector}[{window.step}s]) > 0")
        return [Counted(self._attributes_of(each.labels), self._steps(each, before)) for each in every]

    def _attributes_of(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Returns the attributes of a series by their names in OpenTelemetry, without labels that are none of ours."""
        known = ATTRIBUTES | ({label(self._by): self._by} if self._by else {})
        return {known[name]: value for name, value in labels.items() if name in known}

    def _steps(self, series: Series, before: Mapping[frozenset[tuple[str, str]], float]) -> tuple[float, ...]:
        window = self._window
        last = before.get(frozenset(series.labels.items()), 0.0)
        steps = [0.0] * ((window.end - window.begin) // window.step)
        for time, value in series.values:
            at = round((time - window.begin) / window.step) - 1
            if at >= 0:
                steps[at] += value - last if value >= last else value
            last = value
        return tuple(steps)

    # --- what is measured ---

    def waits(self) -> Iterator[Wait]:
        """Yields how long users waited for the first text, and for the end of calls that failed."""
        failed = f'{label(names.ERROR_TYPE)}!=""'
        for what, metric, more in (
            ("until the first text", names.TIME_TO_FIRST_TEXT, ""),
            ("until a call had failed", names.DURATION, f",{failed}"),
            ("until a call had ended", names.DURATION, ""),
        ):
            found = {q: self._quantile(what, q, metric, more) for q in (0.5, 0.95)}
            for model in sorted(found[0.5].keys() & found[0.95].keys()):
                yield Wait(what, model, found[0.5][model], found[0.95][model])

    def _quantile(self, what: str, q: float, metric: names.Metric, more: str) -> dict[str, float]:
        model, window = label(names.REQUEST_MODEL), self._window
        within = f"{{{self._matchers}{more}}}[{window.end - window.begin}s]"
        classic = f"sum by (le, {model}) (increase({metric_name(metric, 'bucket')}{within}))"
        native = f"sum by ({model}) (increase({metric_name(metric, 'native')}{within}))"
        query = f"histogram_quantile({q}, {classic}) or histogram_quantile({q}, {native})"
        return {
            each.labels.get(model, ""): each.value
            for each in self._instant(f"waits {what}", query, window.end)
            if math.isfinite(each.value)
        }

    def limits(self) -> Iterator[Limit]:
        """Yields the highest use of each rate limit, and when it was."""
        model, kind = label(names.REQUEST_MODEL), label(names.RATE_LIMIT_KIND)
        by = f"max by ({model}, {kind})"
        used, limit = (
            f'{{__name__=~"{"|".join([*metric_names(metric), name_of_gauge_without_suffix(metric)])}",'
            f"{self._matchers}}}"
            for metric in (names.RATE_LIMIT_UTILIZATION, names.RATE_LIMIT_LIMIT)
        )
        window = self._window
        known = {
            (each.labels.get(model, ""), each.labels.get(kind, "")): each.value
            for each in self._instant(
                "rate limits", f"{by} (last_over_time({limit}[{window.end - window.begin}s]))", window.end
            )
        }
        for each in self._range("use of rate limits", f"{by} (max_over_time({used}[{window.step}s]))"):
            time, value = max(each.values, key=lambda pair: pair[1])
            key = each.labels.get(model, ""), each.labels.get(kind, "")
            yield Limit(*key, value, time, known.get(key))

    def alerts(self) -> Iterator[Alert]:
        """Yields the alerts of after200 that fired, each time that they did."""
        window, model = self._window, label(names.REQUEST_MODEL)
        query = 'ALERTS{alertname=~"Claude.*",alertstate="firing"}'
        for each in self._range("alerts", query):
            labels, times = each.labels, [time for time, _ in each.values]
            began = times[0]
            for before, time in zip(times, [*times[1:], math.inf], strict=True):
                if time - before > window.step * 1.5:
                    fired_on = before >= window.end
                    end = None if fired_on else before
                    yield Alert(labels["alertname"], labels.get("severity", ""), labels.get(model, ""), began, end)
                    began = time

    def notes(self, found: Incident) -> Iterator[str]:
        """Yields sentences about what is missing."""
        name, window = metric_name(names.CALLS), self._window
        if not found.calls:
            there = self._instant("all there is", f"count(last_over_time({name}[{REMEMBERED}]))", None)
            yield "Prometheus has no calls in this time. " + (
                f"It has {name} now: is the time right, and --job?"
                if there
                else "Does a service export to it? after200 verify --prometheus URL says."
            )
            return
        rules = self._instant("recording rules", 'count({__name__=~".+:after200_.+"})', window.end)
        if not rules and not found.alerts:
            yield (
                "The recording rules and alerts of after200 are not loaded in this Prometheus, so no alert can have "
                "fired. The numbers of this report come from the raw metrics and do not need them."
            )
        yield from self._gaps(name)

    def _gaps(self, name: str) -> Iterator[str]:
        """Yields a sentence for each time without values. Shorter ones than `LEAST_GAP` lie between two exports."""
        window = self._window
        newest = self._range("gaps", f"max(timestamp({name}{{{self._matchers}}}))")
        seen = sorted({time for each in newest for _, time in each.values})
        for before, time in pairwise(seen):
            if time - before > max(window.step * 1.5, LEAST_GAP):
                yield (
                    f"Prometheus has no values from {between(before, time)}: the calls of that time are "
                    "counted at its end, or not at all where the process has gone."
                )

    # --- questions ---

    def _instant(self, what: str, query: str, time: int | None) -> list[Series]:
        """Asks for the values at `time`; now where None."""
        at = {} if time is None else {"time": str(time)}
        return self._result(what, "/api/v1/query", lambda each: [each["value"]], query=query, **at)

    def _range(self, what: str, query: str) -> list[Series]:
        window = self._window
        times = {"start": str(window.begin), "end": str(window.end), "step": str(window.step)}
        return self._result(what, "/api/v1/query_range", lambda each: each["values"], query=query, **times)

    def _result(self, what: str, path: str, values: Callable[[Any], Any], **parameters: str) -> list[Series]:
        document = self._client.get(what, path, **parameters)
        try:
            return [
                Series({str(name): str(value) for name, value in each["metric"].items()},
                       [(float(time), float(value)) for time, value in values(each)])
                for each in document["data"]["result"]
                if values(each)
            ]  # fmt: skip
        except (AttributeError, KeyError, TypeError, ValueError):
            raise UnusableError(f"the answer to {what} is not that of a Prometheus: {str(document)[:200]}") from None


def escaped(text: str) -> str:
    """Returns `text` for the inside of a quoted string of PromQL."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
