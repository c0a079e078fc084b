# SPDX-License-Identifier: Apache-2.0
"""Other instrumentations of the SDK in the same process: what they and after200 would both do.

What is imported and active is looked at, when a call of a new kind begins, so the order of activation does not matter.
Nothing is ever imported here, and nothing of a neighbour's is changed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, NamedTuple

from .guard import guarded, warn_once
from .settings import PREFIX


def _openllmetry_has_metrics() -> bool:
    return (os.environ.get("TRACELOOP_METRICS_ENABLED") or "true").lower() == "true"


def _openlit_has_metrics() -> bool:
    config = getattr(sys.modules.get("openlit._config"), "OpenlitConfig", None)
    return not getattr(config, "disable_metrics", False)


class Neighbour(NamedTuple):
    """An instrumentation that records `gen_ai.client.*` metrics of the same calls."""

    module: str
    """Where its instrumentor is."""

    title: str
    metrics: tuple[str, ...]
    """Those that after200 records too, without their prefix."""

    has_metrics: Callable[[], bool] = lambda: True
    """Whether it has not been told to leave them out."""


NEIGHBOURS: Final = (
    Neighbour(
        "opentelemetry.instrumentation.genai.anthropic",
        "opentelemetry-instrumentation-genai-anthropic",
        ("operation.duration", "operation.time_to_first_chunk", "token.usage"),
    ),
    Neighbour(
        "opentelemetry.instrumentation.anthropic",
        "opentelemetry-instrumentation-anthropic",
        ("operation.duration", "token.usage"),
        _openllmetry_has_metrics,
    ),
    Neighbour(
        "openlit.instrumentation.anthropic",
        "openlit",
        ("operation.duration", "operation.time_to_first_chunk", "token.usage"),
        _openlit_has_metrics,
    ),
)

_SUPPRESSOR: Final = "logfire._internal.integrations.llm_providers.llm_provider"
_RECORDING: Final = "message_template"
"""Where logfire suppresses others, and the variable there that has no value in a call that it leaves alone."""


@guarded
def report_double_counts() -> None:
    """Says once of each neighbour that records the same metrics how not to count a call twice."""
    for neighbour in NEIGHBOURS:
        if is_active(neighbour.module) and neighbour.has_metrics():
            warn_once(
                neighbour.module,
                "%s records %s of the same calls as after200 does: added up, each call counts twice. "
                "Set %sGENAI_METRICS=false to leave these to it; the after200.* metrics go on.",
                neighbour.title,
                ", ".join(f"gen_ai.client.{metric}" for metric in neighbour.metrics),
                PREFIX,
            )


def is_active(module: str) -> bool:
    """Whether the instrumentor in `module` is imported and has instrumented."""
    instrumentor: Any = getattr(sys.modules.get(module), "AnthropicInstrumentor", None)
    # Asking the class for its one object would make it, if there is none.
    return bool(getattr(getattr(instrumentor, "_instance", None), "is_instrumented_by_opentelemetry", False))


def suppressed_by_neighbour() -> bool:
    """Whether this call is suppressed by a neighbour that records it, and not by the application.

    logfire suppresses all other instrumentation around a call, for the sake of the HTTP client's span. In a call that
    the application has suppressed it does nothing at all.
    """
    if _SUPPRESSOR not in sys.modules:
        return False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") != _SUPPRESSOR:
        frame = frame.f_back
    return frame is not None and frame.f_locals.get(_RECORDING) is not None
