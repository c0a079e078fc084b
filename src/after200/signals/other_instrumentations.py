# SPDX-License-Identifier: Apache-2.0
"""Other instrumentations in the same process: metrics that both record, and calls that they suppress.

Instrumentations of the SDK are looked for at the first call of each kind, so it does not matter which was activated
first; frameworks are looked for whenever metrics are collected (`frameworks.py`). Nothing is imported here, and no
object of another instrumentation is changed. `after200 verify` sees what is really exported; this sees only what it
knows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from .. import names
from ..guard import guarded, warn_once
from ..settings import PREFIX
from .frameworks import FRAMEWORKS, GENAI, LANGCHAIN, Frameworks


def _openllmetry_has_metrics() -> bool:
    return (os.environ.get("TRACELOOP_METRICS_ENABLED") or "true").lower() == "true"


def _openlit_has_metrics() -> bool:
    config = getattr(sys.modules.get("openlit._config"), "OpenlitConfig", None)
    return not getattr(config, "disable_metrics", False)


def _litellm_has_metrics() -> bool:
    callbacks = getattr(sys.modules.get("litellm"), "callbacks", ())
    return any(getattr(getattr(each, "config", None), "enable_metrics", False) is True for each in callbacks)


def _is_silenced() -> bool:
    """Returns whether OpenLLMetry's package for a framework has silenced its packages for SDKs in this context."""
    return bool(context.get_value("suppress_language_model_instrumentation"))


class Other(NamedTuple):
    """An instrumentation that records `gen_ai.client.*` metrics of the same calls."""

    module: str
    """The module of its instrumentor."""

    title: str
    """The name of its distribution."""

    metrics: tuple[str, ...]
    """The metrics that after200 records too."""

    has_metrics: Callable[[], bool] = lambda: True
    """Returns whether its settings let it record them."""

    instrumentor: str | None = "AnthropicInstrumentor"
    """The class of its instrumentor; None for a package that instruments itself, which `has_metrics` knows."""

    client: str | None = None
    """`after200.client` of the calls that it records; None for those of the SDK."""

    misses_calls: bool = False
    """Whether calls of that client may go past it."""


OTHERS: Final = (
    Other(
        "opentelemetry.instrumentation.genai.anthropic",
        "opentelemetry-instrumentation-genai-anthropic",
        tuple(GENAI),
    ),
    Other(
        "opentelemetry.instrumentation.anthropic",
        "opentelemetry-instrumentation-anthropic",
        (names.DURATION.name, names.TOKEN_USAGE.name),
        lambda: _openllmetry_has_metrics() and not _is_silenced(),
    ),
    Other(
        "openlit.instrumentation.anthropic",
        "openlit",
        tuple(GENAI),
        _openlit_has_metrics,
    ),
    Other(
        "opentelemetry.instrumentation.botocore",
        "opentelemetry-instrumentation-botocore",
        (names.DURATION.name, names.TOKEN_USAGE.name),
        instrumentor="BotocoreInstrumentor",
        client="botocore",
        misses_calls=True,
    ),
    Other(
        "litellm.integrations.opentelemetry",
        "litellm",
        (names.DURATION.name, names.TOKEN_USAGE.name),
        _litellm_has_metrics,
        instrumentor=None,
        client="httpx",
        misses_calls=True,
    ),
)

_SUPPRESSING_SCOPE: Final = "logfire.anthropic"
"""The scope of the span around a call that logfire records; logfire suppresses all other instrumentation in it."""

_RECORDS: Final = "%s records %s of the same calls as after200 does: added up, each call counts twice. "
_LEAVE_IT: Final = f"Set {PREFIX}GENAI_METRICS=false to leave these to it; the after200.* metrics go on."
_MISSES_CALLS: Final = (
    "Other calls of this process may go past it, so do not turn off the metrics of after200: sum only the series whose "
    "otel.scope.name is after200, or the after200.* metrics."
)


@guarded
def report_double_counts(client: str | None) -> None:
    """Warns once of each instrumentation that records the same metrics of the present call, and says what to do.

    `client` is the HTTP library that makes the call; None where the SDK does. The advice never loses a call: the
    metrics of after200 are to be turned off only for an instrumentation that records all calls.
    """
    silences = is_active(LANGCHAIN, "LangchainInstrumentor")
    for other in OTHERS:
        if other.client == client and is_active(other.module, other.instrumentor) and other.has_metrics():
            misses = other.misses_calls or (silences and other.module == "opentelemetry.instrumentation.anthropic")
            _warn(other.title, other.metrics, _MISSES_CALLS if misses else _LEAVE_IT)


@guarded
def report_frameworks(frameworks: Frameworks) -> None:
    """Warns once of each framework that recorded calls that after200 recorded too. It records those through it only."""
    for scope, metrics in frameworks.count_too().items():
        _warn(FRAMEWORKS[scope], metrics, _MISSES_CALLS)


def _warn(title: str, metrics: Iterable[str], advice: str) -> None:
    warn_once(title, _RECORDS + advice, title, ", ".join(sorted(metrics)))


def _current_scope() -> str | None:
    """Returns the scope of the current span; None when there is none, or it is not recorded."""
    return getattr(getattr(trace.get_current_span(), "instrumentation_scope", None), "name", None)


def is_active(module: str, name: str | None) -> bool:
    """Returns whether the instrumentor `name` in `module` is imported and has instrumented; without one, the first."""
    if name is None:
        return module in sys.modules
    instrumentor: Any = getattr(sys.modules.get(module), name, None)
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
    return _current_scope() != _SUPPRESSING_SCOPE
