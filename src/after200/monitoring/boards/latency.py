# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Latency and flow*: how fast answers begin, how long they take, and where they stall."""

from __future__ import annotations

from itertools import pairwise

from after200 import names
from after200.monitoring import colors, places
from after200.monitoring import panels as p
from after200.monitoring.boards.frame import Board, Row
from after200.monitoring.policy import Policy
from after200.monitoring.promql import equals, matches, sum_by
from after200.monitoring.selection import (
    AT_END,
    OF_A_MODEL,
    RANGE,
    STEP_MINUTES,
    apart_from_worst,
    chosen,
    observations,
    observations_up_to,
    or_none,
    quantile,
    worst_and_others,
    worst_quantile,
)
from after200.names import Metric

CAP = f"Quantiles end at {names.DURATION_BUCKETS[-1]:g} s, the highest bucket boundary; native histograms have no end."
BOUNDS = (0.64, 1.28, 5.12, 20.48)
"""Where the bands of the first chunk end, in s: boundaries of the histogram's buckets."""
MODELS = (names.REQUEST_MODEL,)
NO_STREAMS = "no streams"


def dashboard(policy: Policy) -> Board:
    chunks = spread(
        "Time per output chunk",
        "Set OTEL_INSTRUMENTATION_AFTER200_CHUNK_TIMING=true to have it.",
        names.TIME_PER_OUTPUT_CHUNK,
        nothing="not recorded: set OTEL_INSTRUMENTATION_AFTER200_CHUNK_TIMING=true",
    )
    return Board(
        places.LATENCY,
        "Claude: Latency and flow",
        "How fast answers begin, how long calls take, and where streams stall.",
        [
            Row("Until the first chunk, and until the first text", first()),
            Row("Duration of whole calls, and silences in streams", duration()),
            Row("Stalls, and what is open", flow(policy)),
            Row("Duration and first chunk by model", models(), collapsed=True),
            Row("Duration of calls that fail", duration_of_failures(), collapsed=True),
            Row("Time per output chunk (off by default)", [chunks], collapsed=True, span=24),
        ],
    )


def spread(
    title: str, description: str, metric: Metric, *, axis: str = "time", span: int = 12, nothing: str = NO_STREAMS
) -> p.Panel:
    """The usual three quantiles of everything selected."""
    queries = [p.Query(quantile(q, metric), f"p{q * 100:g}") for q in (0.5, 0.95, 0.99)]
    return p.graph(title, description, "s", *queries, axis=axis, colored=colors.QUANTILES, span=span, nothing=nothing)


def by_model(title: str, metric: Metric, *, axis: str = "time, p95") -> p.Panel:
    """The 95th percentile of the slowest models, and of all others together."""
    description = "The slowest models of the time range, and all others together. A click on a line shows one model."
    expr = worst_quantile(0.95, metric, OF_A_MODEL)
    return p.graph(title, description, "s", expr, by=MODELS, axis=axis, nothing=NO_STREAMS)


def bands(metric: Metric) -> list[p.Query]:
    """How many streams took how long: one query for each band between two bounds, and what is above the last."""
    ends = [*(observations_up_to(metric, bound) for bound in BOUNDS), observations(metric)]
    # Each band is counted from where the one before it ends; interpolation must not make it negative.
    exprs = [ends[0], *(f"clamp_min({end} - {start}, 0)" for start, end in pairwise(ends))]
    texts = [*(f"up to {bound:g} s" for bound in BOUNDS), f"above {BOUNDS[-1]:g} s"]
    return [p.Query(f"{expr} / {STEP_MINUTES}", text) for expr, text in zip(exprs, texts, strict=True)]


def first() -> list[p.Panel]:
    chunk, text = names.TIME_TO_FIRST_CHUNK, names.TIME_TO_FIRST_TEXT
    queries = bands(chunk)
    return [
        spread(
            "Time to first chunk",
            f"From sending the request to the first content of the stream, retries included. {CAP}",
            chunk,
            span=8,
        ),
        spread(
            "Time to first text",
            "From sending the request to the first text: what a reader waits for. A model that thinks sends its first "
            f"chunk long before. {CAP}",
            text,
            span=8,
        ),
        p.graph(
            "How soon streams begin",
            "How many streams had their first chunk after how long.",
            "short",
            *queries,
            stacked=True,
            latest=False,
            axis="streams per minute",
            nothing=NO_STREAMS,
            colored={query.legend: color for query, color in zip(queries, colors.BANDS, strict=True)},
            span=8,
        ),
        by_model("Time to first text by model, p95", text),
    ]


def duration() -> list[p.Panel]:
    outcome = (names.OUTCOME,)
    return [
        spread(
            "Duration",
            f"Of whole calls, to the end of their stream. {CAP}",
            names.DURATION,
            axis="duration",
            nothing=p.NO_CALLS,
        ),
        p.graph(
            "Longest gap by outcome, p95",
            "The longest time in a stream from one chunk to the next, or from the last chunk to the end. It includes "
            "the time that the application takes between two reads.",
            "s",
            quantile(0.95, names.LONGEST_GAP, by=outcome, births=True),
            by=outcome,
            axis="longest gap, p95",
            nothing=NO_STREAMS,
            dots=True,
        ),
    ]


def models() -> list[p.Panel]:
    return [
        by_model("Duration by model, p95", names.DURATION, axis="duration, p95"),
        by_model("Time to first chunk by model, p95", names.TIME_TO_FIRST_CHUNK),
    ]


def duration_of_failures() -> list[p.Panel]:
    status = (names.HTTP_STATUS,)
    return [
        p.graph(
            "Duration with and without error, p95",
            "Calls that fail late have cost their whole time. Without error: completed, or left by the application.",
            "s",
            p.Query(quantile(0.95, names.DURATION, equals(names.ERROR_TYPE, "")), "no error"),
            p.Query(quantile(0.95, names.DURATION, matches(names.ERROR_TYPE, ".+"), births=True), "error"),
            axis="duration, p95",
            colored={"no error": colors.GREEN, "error": colors.RED},
            dots=True,
        ),
        p.graph(
            "Duration by corrected status, p95",
            "200: the call completed, or the application left it. none: a failure without a documented status.",
            "s",
            or_none(f"({quantile(0.95, names.DURATION, by=status, births=True)})", *status),
            by=status,
            axis="duration, p95",
            dots=True,
        ),
    ]


def flow(policy: Policy) -> list[p.Panel]:
    gap = names.LONGEST_GAP
    smooth = observations_up_to(gap, policy.stall_seconds)
    open_streams = chosen(names.STREAMS_OPEN, OF_A_MODEL)
    is_open, ranking = (sum_by(MODELS, open_streams), sum_by(MODELS, f"max_over_time({open_streams}[{RANGE}]{AT_END})"))
    return [
        p.graph(
            "Streams that stalled",
            f"Share of the streams whose longest gap was above {policy.stall_seconds:g} s. Dashed: above "
            f"it over {policy.window}, ClaudeStreamStalls warns.",
            "percentunit",
            p.Query(f"clamp_min(1 - {smooth} / {observations(gap)}, 0)", "stalled"),
            axis="of all streams",
            nothing=NO_STREAMS,
            colored={"stalled": colors.RED},
            limit=p.line(policy.stalled_warning, observations(gap)),
            span=8,
        ),
        p.graph(
            "Open streams",
            "Streams that began and have not ended. A line that only climbs is a leak, or a stream that hangs.",
            "short",
            worst_and_others(is_open, sum_by((), apart_from_worst(is_open, ranking)), ranking),
            by=MODELS,
            stacked=True,
            axis="streams",
            nothing=NO_STREAMS,
            span=16,
        )
        .height(9)
        .decimals(0),
    ]
