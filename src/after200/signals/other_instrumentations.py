# SPDX-License-Identifier: Apache-2.0
"""Other instrumentations of the SDK in the same process: metrics that both record, and calls that they suppress.

Checked at the first call of each kind, so it does not matter which instrumentation was activated first. Nothing is
imported here, and no object of another instrumentation is changed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from opentelemetry import trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from ..guard import guarded, warn_once
from ..settings import PREFIX


def _openllmetry_has_metrics() -> bool:
    return (os.environ.get("TRACELOOP_METRICS_ENABLED") or "true").lower() == "true"


def _openlit_has_metrics() -> bool:
    config = getattr(sys.modules.get("openlit._config"), "OpenlitConfig", None)
    return not getattr(config, "disable_metrics", False)


class Other(NamedTuple):
    """An instrumentation that records `gen_ai.client.*` metrics of the same calls."""

    module: str
    """The module of its instrumentor."""

    title: str
    """The name of its distribution."""

    metrics: tuple[str, ...]
    """The metrics that after200 records too, without their prefix."""

    has_metrics: Callable[[], bool] = lambda: True
    """Returns whether its settings let it record them."""


OTHERS: Final = (
    Other(
        "opentelemetry.instrumentation.genai.anthropic",
        "opentelemetry-instrumentation-genai-anthropic",
        ("operation.duration", "operation.time_to_first_chunk", "token.usage"),
    ),
    Other(
        "opentelemetry.instrumentation.anthropic",
        "opentelemetry-instrumentation-anthropic",
        ("operation.duration", "token.usage"),
        _openllmetry_has_metrics,
    ),
    Other(
        "openlit.instrumentation.anthropic",
        "openlit",
        ("operation.duration", "operation.time_to_first_chunk", "token.usage"),
        _openlit_has_metrics,
    ),
)

_SUPPRESSING_SCOPE: Final = "logfire.anthropic"
"""The scope of the span around a call that logfire records; logfire suppresses all other instrumentation in it."""


@guarded
def report_double_counts() -> None:
    """Warns once of each instrumentation that records the same metrics, and says how to count each call once."""
    for other in OTHERS:
        if is_active(other.module) and other.has_metrics():
            warn_once(
                other.module,
                "%s records %s of the same calls as after200 does: added up, each call counts twice. "
                "Set %sGENAI_METRICS=false to leave these to it; the after200.* metrics go on.",
                other.title,
                ", ".join(f"gen_ai.client.{metric}" for metric in other.metrics),
                PREFIX,
            )


def is_active(module: str) -> bool:
    """Returns whether the instrumentor in `module` is imported and has instrumented."""
    instrumentor: Any = getattr(sys.modules.get(module), "AnthropicInstrumentor", None)
    # The class makes its one object when it is called, so it is not called here.
    return bool(getattr(getattr(instrumentor, "_instance", None), "is_instrumented_by_opentelemetry", False))


def is_suppressed() -> bool:
    """Returns whether the application has turned instrumentation off in this context.

    logfire turns it off around each call that it records, for the sake of the HTTP client's span; that is not the
    application's doing. Such a call is recognised by the scope of the current span, so a call whose span logfire
    does not sample counts as suppressed.
    """
    if is_instrumentation_enabled():
        return False
    scope = getattr(trace.get_current_span(), "instrumentation_scope", None)
    return getattr(scope, "name", None) != _SUPPRESSING_SCOPE
