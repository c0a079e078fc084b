# SPDX-License-Identifier: Apache-2.0
"""The names our metrics and attributes have in Prometheus: a `Metric` comes in, the translated name goes out.

The rules are those of the OpenTelemetry specification (Prometheus and OpenMetrics compatibility), as the Python
exporter, the Collector and the OTLP endpoint of Prometheus all apply them by default.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from .metrics import Metric

Part = Literal["", "bucket", "count", "sum", "native"]
"""A part of a classic histogram; `native` is a native histogram, which is one series without a suffix; `""` is anything
that is no histogram."""

UNIT_SUFFIXES: Final = {"s": "seconds", "ms": "milliseconds", "By": "bytes", "1": ""}
CLASSIC_PARTS: Final[tuple[Part, ...]] = ("bucket", "count", "sum")
HISTOGRAM_PARTS: Final[tuple[Part, ...]] = (*CLASSIC_PARTS, "native")
SERVER_LABELS: Final = frozenset({"job", "instance", "le"})
"""Labels that come from the way to Prometheus and not from the package."""


def label(attribute: str) -> str:
    """`gen_ai.request.model` as Prometheus has it: `gen_ai_request_model`."""
    if attribute in SERVER_LABELS:
        return attribute
    name = re.sub(r"[^a-zA-Z0-9_]", "_", attribute)
    return f"key_{name}" if name[:1].isdigit() else name


def metric_name(metric: Metric, part: Part = "") -> str:
    """`after200.calls` as Prometheus has it: `after200_calls_total`; of a histogram, the part asked for."""
    if (metric.kind == "histogram") != (part in HISTOGRAM_PARTS):
        raise ValueError(f"{metric.name} is a {metric.kind}: {part or 'no part'!r} does not go with it")
    pieces = [re.sub(r"[^a-zA-Z0-9_:]", "_", metric.name), unit_suffix(metric.unit)]
    if metric.kind == "counter":
        pieces.append("total")
    if metric.kind == "gauge" and metric.unit == "1":
        pieces.append("ratio")
    return "_".join(piece for piece in (*pieces, part if part != "native" else "") if piece)


def name_of_gauge_without_suffix(metric: Metric) -> str:
    """A gauge of the unit `1` as the Python exporter names it, which leaves out `_ratio`."""
    return re.sub(r"_ratio$", "", metric_name(metric))


def unit_suffix(unit: str) -> str:
    """`s` gives `seconds`; a unit in braces is an annotation and gives nothing."""
    if re.fullmatch(r"\{.*\}", unit):
        return ""
    if unit not in UNIT_SUFFIXES:
        raise ValueError(
            f"no Prometheus suffix known for the unit {unit!r}: known are {sorted(UNIT_SUFFIXES)} and {{...}}"
        )
    return UNIT_SUFFIXES[unit]


def metric_names(metric: Metric) -> tuple[str, ...]:
    """Every series name that the metric has in Prometheus; of a histogram, those of a classic one."""
    parts: tuple[Part, ...] = CLASSIC_PARTS if metric.kind == "histogram" else ("",)
    return tuple(metric_name(metric, part) for part in parts)


def metric_labels(metric: Metric) -> frozenset[str]:
    """Every label that a series of the metric can have."""
    return frozenset(map(label, metric.attributes)) | SERVER_LABELS
