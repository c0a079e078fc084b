# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Latency and flow*: how fast answers begin, how long they take, and where they stall."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from after200 import names
from after200.monitoring import colors, places
from after200.monitoring import panels as p
from after200.monitoring.boards.expressions import legend, or_none, with_model
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.naming import label
from after200.monitoring.policy import Policy
from after200.monitoring.promql import Matcher, equals, matches, observations, observations_up_to, quantile, sum_by
from after200.monitoring.selection import CHOSEN, RATE, RATE_MINUTES, chosen
from after200.names import Metric

CAP = f"Quantiles end at {names.DURATION_BUCKETS[-1]:g} s, the highest bucket boundary; native histograms have no end."
BOUNDS = (0.64, 1.28, 5.12, 20.48)
"""Where the bands of the first chunk end, in s: boundaries of the histogram's buckets."""
QUANTILES = {"p50": colors.LIGHT_BLUE, "p95": colors.BLUE, "p99": "#3B5BA9"}


def dashboard(policy: Policy) -> Board:
    return Board(
        places.LATENCY,
        "Claude: Latency and flow",
        "How fast answers begin, how long calls take, and where streams stall.",
        [
            Row("Until the first chunk, and until the first text", first()),
            Row("Duration of whole calls", duration()),
            Row("Flow", flow(policy)),
            Row("Duration of calls that fail", duration_of_failures(), collapsed=True),
            Row("Time per output chunk (off by default)", chunks(), collapsed=True),
        ],
    )


def spread(metric: Metric, *matchers: Matcher) -> list[p.Query]:
    """The usual three quantiles of everything selected."""
    return [p.Query(quantile(q, metric, (), RATE, *CHOSEN, *matchers), f"p{q * 100:g}") for q in (0.5, 0.95, 0.99)]


def by_model(metric: Metric) -> p.Query:
    models = (label(names.REQUEST_MODEL),)
    return p.Query(quantile(0.95, metric, models, RATE, *CHOSEN, *with_model(metric)), legend(names.REQUEST_MODEL))


def bands(metric: Metric, bounds: Sequence[float]) -> list[p.Query]:
    """How many streams took how long: one query for each band between two bounds, and what is above the last."""
    up_to = [f"({observations_up_to(metric, bound, (), RATE, *CHOSEN)})" for bound in bounds]
    every = f"({observations(metric, (), RATE, *CHOSEN)})"
    texts = [f"up to {bounds[0]:g} s", *(f"up to {bound:g} s" for bound in bounds[1:]), f"above {bounds[-1]:g} s"]
    ends = [*up_to, every]
    # Each band is counted from where the one before it ends; interpolation must not make it negative.
    exprs = [ends[0], *(f"clamp_min({end} - {start}, 0)" for start, end in pairwise(ends))]
    return [p.Query(f"{expr} / {RATE_MINUTES}", text) for expr, text in zip(exprs, texts, strict=True)]


def first() -> list[Any]:
    chunk, text = names.TIME_TO_FIRST_CHUNK, names.TIME_TO_FIRST_TEXT
    queries = bands(chunk, BOUNDS)
    return [
        p.graph(
            "Time to first chunk",
            f"From sending the request to the first content of the stream, retries included. {CAP}",
            "s",
            *spread(chunk),
            axis="time",
            colored=QUANTILES,
            span=8,
        ),
        p.graph(
            "Time to first text",
            "From sending the request to the first text: what a reader waits for. A model that thinks sends its first "
            f"chunk long before. {CAP}",
            "s",
            *spread(text),
            axis="time",
            colored=QUANTILES,
            span=8,
        ),
        p.graph(
            "Time to first text by model, p95",
            "One line per model. A click on a line shows only this model.",
            "s",
            by_model(text),
            axis="time, p95",
            sets=names.REQUEST_MODEL,
            span=8,
        ),
        p.graph(
            "How soon streams begin",
            "How many streams had their first chunk after how long.",
            "short",
            *queries,
            stacked=True,
            axis="streams per minute",
            colored={query.legend: color for query, color in zip(queries, colors.BANDS, strict=True)},
        ),
        p.graph(
            "Time to first chunk by model, p95",
            "One line per model. A click on a line shows only this model.",
            "s",
            by_model(chunk),
            axis="time, p95",
            sets=names.REQUEST_MODEL,
        ),
    ]


def duration() -> list[Any]:
    metric = names.DURATION
    return [
        p.graph(
            "Duration",
            f"Of whole calls, to the end of their stream. {CAP}",
            "s",
            *spread(metric),
            axis="duration",
            colored=QUANTILES,
        ),
        p.graph(
            "Duration by model, p95",
            "One line per model. A click on a line shows only this model.",
            "s",
            by_model(metric),
            axis="duration, p95",
            sets=names.REQUEST_MODEL,
        ),
    ]


def duration_of_failures() -> list[Any]:
    metric = names.DURATION

    def of(pattern: str, title: str) -> p.Query:
        error = matches(names.ERROR_TYPE, pattern) if pattern else equals(names.ERROR_TYPE, "")
        return p.Query(quantile(0.95, metric, (), RATE, *CHOSEN, error), title)

    by_status = f"({quantile(0.95, metric, (label(names.HTTP_STATUS),), RATE, *CHOSEN)})"
    return [
        p.graph(
            "Duration with and without error, p95",
            "Calls that fail late have cost their whole time. Without error: completed, or left by the application.",
            "s",
            of("", "no error"),
            of(".+", "error"),
            axis="duration, p95",
            colored={"no error": colors.GREEN, "error": colors.RED},
        ),
        p.graph(
            "Duration by corrected status, p95",
            "200: the call completed, or the application left it. none: a failure without a documented status.",
            "s",
            p.Query(or_none(by_status, names.HTTP_STATUS), legend(names.HTTP_STATUS)),
            axis="duration, p95",
            colored=colors.STATUSES,
        ),
    ]


def flow(policy: Policy) -> list[Any]:
    gap = names.LONGEST_GAP
    every = f"({observations(gap, (), RATE, *CHOSEN)})"
    smooth = f"({observations_up_to(gap, policy.stall_seconds, (), RATE, *CHOSEN)})"
    open_streams = sum_by((label(names.REQUEST_MODEL),), chosen(names.STREAMS_OPEN, *with_model(names.STREAMS_OPEN)))
    return [
        p.graph(
            "Longest gap by outcome, p95",
            "The longest time in a stream from one chunk to the next, or from the last chunk to the end. It includes "
            "the time that the application takes between two reads.",
            "s",
            p.Query(quantile(0.95, gap, (label(names.OUTCOME),), RATE, *CHOSEN), legend(names.OUTCOME)),
            axis="longest gap, p95",
            colored=colors.OUTCOMES,
            span=8,
        ),
        p.graph(
            "Streams that stalled",
            f"Share of the streams whose longest gap was above {policy.stall_seconds:g} s. Dashed: where "
            "ClaudeStreamStalls warns.",
            "percentunit",
            p.Query(f"clamp_min(1 - {smooth} / ({every} > 0), 0)", "stalled"),
            p.Query(f"vector({policy.stalled_warning:g})", "warns"),
            axis="of all streams",
            colored={"stalled": colors.RED},
            limits=("warns",),
            span=8,
        ),
        p.graph(
            "Open streams",
            "Streams that began and have not ended. A line that only climbs is a leak, or a stream that hangs.",
            "short",
            p.Query(open_streams, legend(names.REQUEST_MODEL)),
            stacked=True,
            axis="streams",
            decimals=0,
            sets=names.REQUEST_MODEL,
            span=8,
        ),
    ]


def chunks() -> list[Any]:
    return [
        p.graph(
            "Time per output chunk",
            "Set OTEL_INSTRUMENTATION_AFTER200_CHUNK_TIMING=true to have it.",
            "s",
            *spread(names.TIME_PER_OUTPUT_CHUNK),
            axis="time",
            colored=QUANTILES,
            span=24,
        ),
    ]
