# SPDX-License-Identifier: Apache-2.0
"""The dashboard *Latency and flow*: how fast answers begin, how long they take, and where they stall."""

from __future__ import annotations

from typing import Any

from after200 import names
from after200.monitoring import panels as p
from after200.monitoring.boards.common import SLIDING, legend
from after200.monitoring.boards.frame import board
from after200.monitoring.naming import label
from after200.monitoring.policy import Policy
from after200.monitoring.promql import equals, increase, matches, quantile, sum_by
from after200.names import Metric

CAP = f"Quantiles end at {names.DURATION_BUCKETS[-1]:g} s, the highest bucket boundary."


def dashboard(policy: Policy) -> p.Builder:
    return board(
        "after200-latency",
        "Claude: Latency and flow",
        "How fast answers begin, how long calls take, and where streams stall.",
        [
            ("Time to first chunk", first_chunk()),
            ("Duration", duration()),
            ("Flow", flow(policy)),
        ],
    )


def spread(metric: Metric) -> list[p.Query]:
    """The usual three quantiles of everything selected."""
    return [p.Query(quantile(q, metric, (), p.RATE, *p.CHOSEN), f"p{q * 100:g}") for q in (0.5, 0.95, 0.99)]


def by_model(metric: Metric) -> p.Query:
    return p.Query(
        quantile(0.95, metric, (label(names.REQUEST_MODEL),), p.RATE, *p.CHOSEN), legend(names.REQUEST_MODEL)
    )


def first_chunk() -> list[Any]:
    metric = names.TIME_TO_FIRST_CHUNK
    return [
        p.graph(
            "Time to first chunk",
            f"From sending the request to the first content of the stream, retries included. {CAP}",
            "s",
            *spread(metric),
        ),
        p.graph("Time to first chunk by model, p95", f"The same, one line per model. {CAP}", "s", by_model(metric)),
        p.buckets("Time to first chunk, distribution", "How many streams began after how long.", metric, span=24),
    ]


def duration() -> list[Any]:
    metric = names.DURATION

    def of(pattern: str, title: str) -> p.Query:
        error = matches(names.ERROR_TYPE, pattern) if pattern else equals(names.ERROR_TYPE, "")
        return p.Query(quantile(0.95, metric, (), p.RATE, *p.CHOSEN, error), title)

    return [
        p.graph("Duration", f"Of whole calls, to the end of their stream. {CAP}", "s", *spread(metric)),
        p.graph("Duration by model, p95", f"The same, one line per model. {CAP}", "s", by_model(metric)),
        p.graph(
            "Duration with and without error, p95",
            "Calls that fail late have cost their whole time. Without error: completed, or left by the application. "
            f"{CAP}",
            "s",
            of("", "no error"),
            of(".+", "error"),
            colors={"no error": p.GREEN, "error": p.RED},
        ),
        p.graph(
            "Duration by corrected status, p95",
            f"200 is what completed; an empty legend has no documented status. {CAP}",
            "s",
            p.Query(quantile(0.95, metric, (label(names.HTTP_STATUS),), p.RATE, *p.CHOSEN), legend(names.HTTP_STATUS)),
        ),
    ]


def flow(policy: Policy) -> list[Any]:
    gap = names.LONGEST_GAP
    every = sum_by((), increase(p.chosen(gap, part="count"), p.RATE))
    smooth = sum_by((), increase(p.chosen(gap, equals("le", f"{policy.stall_seconds:g}"), part="bucket"), p.RATE))
    open_streams = sum_by((label(names.REQUEST_MODEL),), p.chosen(names.STREAMS_OPEN))
    return [
        p.graph(
            "Longest gap by outcome, p95",
            "The longest time in a stream from one chunk to the next, or from the last chunk to the end. It includes "
            "the "
            f"time that the application takes between two reads. {CAP}",
            "s",
            p.Query(quantile(0.95, gap, (label(names.OUTCOME),), p.RATE, *p.CHOSEN), legend(names.OUTCOME)),
        ),
        p.graph(
            f"Streams that stalled for more than {policy.stall_seconds:g} s",
            f"Streams whose longest gap was above the threshold of the alert ClaudeStreamStalls. {SLIDING}",
            "short",
            p.Query(f"{every} - {smooth}", "stalled"),
            p.Query(every, "all"),
            colors={"stalled": p.RED, "all": p.GREY},
        ),
        p.graph(
            "Open streams",
            "Streams that began and have not ended. A line that only climbs is a leak, or a stream that hangs.",
            "short",
            p.Query(open_streams, legend(names.REQUEST_MODEL)),
            stacked=True,
        ),
        p.graph(
            "Time per output chunk",
            "Off by default: set OTEL_INSTRUMENTATION_AFTER200_CHUNK_TIMING=true to have it.",
            "s",
            *spread(names.TIME_PER_OUTPUT_CHUNK),
        ),
    ]
