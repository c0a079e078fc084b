# SPDX-License-Identifier: Apache-2.0
"""What was exported of the calls of a check, compared with what happened, and with what others exported of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from after200 import names
from after200.cli.verify.checks import CHECKS, EXPECTED, Seen


def different(seen: Seen, *, all_spans: bool) -> Iterator[str]:
    """Yields what was exported that is not what happened. `all_spans`: whether no span may be missing."""
    clients: list[str | None] = [*([None] if seen.application else []), *seen.libraries]
    for client, signal in product(clients, seen.required):
        recorded = seen.recorded(signal, client)
        missing, extra = (", ".join(map(str, more)) for more in (EXPECTED - recorded, recorded - EXPECTED))
        if (missing or extra) and not (signal == "traces" and not all_spans):
            what = signal if client is None else f"{signal} of calls through {client}"
            yield f"{what}, missing: {missing or 'nothing'}; {what}, not expected: {extra or 'nothing'}"


def double_counts(seen: Seen) -> Iterator[str]:
    """Another scope recorded `gen_ai.client.*` metrics of the calls, and after200 recorded them too."""
    points = [point for exporter in seen.of("metrics") for point in exporter.points if seen.marks(point)]
    genai = [point for point in points if point.metric.startswith("gen_ai.")]
    ours = {point.metric for point in genai if point.scope == names.SCOPE}
    for scope in sorted({point.scope for point in genai} - {names.SCOPE}):
        theirs = [point for point in genai if point.scope == scope and point.metric in ours]
        timed = sum(point.count or 0 for point in theirs if point.metric == names.DURATION.name)
        if theirs:
            metrics = ", ".join(sorted({point.metric for point in theirs}))
            yield f"{scope} records {metrics} of the same calls ({timed} of {len(CHECKS)} calls in its durations)"


def double_spans(seen: Seen) -> set[str]:
    """Returns the scopes of further spans of the calls, where after200 recorded spans."""
    spans = [span for exporter in seen.of("traces") for span in exporter.telemetry.spans if seen.marks(span)]
    further = {span.scope for span in spans if names.OUTCOME not in span.attributes}
    return further if any(names.OUTCOME in span.attributes for span in spans) else set()
