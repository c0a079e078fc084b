# SPDX-License-Identifier: Apache-2.0
"""Keywords of `instrument(...)` and environment variables → one frozen `Settings`.

A keyword comes before the environment, the environment before the default. A value that is not valid, and a name that
does not exist, is named in one warning, with what is accepted, and the default holds: a typing error must not take a
service down.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, get_args

from .call.ended import EndedCall
from .guard import logger, warn_once
from .names import ATTRIBUTES, baggage

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

PREFIX: Final = "OTEL_INSTRUMENTATION_AFTER200_"

SpanMode = Literal["auto", "own", "annotate", "none"]
SPANS: Final[tuple[SpanMode, ...]] = get_args(SpanMode)

PROVIDERS: Final = ("tracer_provider", "meter_provider", "logger_provider")
_OF_THE_BASE_CLASS: Final = ("skip_dep_check", "raise_exception_on_conflict")
"""Keywords of `instrument` that OpenTelemetry's base class reads."""


def _choice(value: object) -> SpanMode:
    for mode in SPANS:
        if isinstance(value, str) and value.strip().lower() == mode:
            return mode
    raise ValueError("one of " + ", ".join(SPANS))


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError("true or false")


def _callable(value: object) -> Callable[[EndedCall], object]:
    # Nothing would await what such a function returns: a call can end in any thread, and while an interpreter ends.
    is_coroutine = any(map(inspect.iscoroutinefunction, (value, getattr(value, "__call__", None))))  # noqa: B004
    if callable(value) and not is_coroutine:
        return value
    raise ValueError("a callable that takes an EndedCall, and no coroutine function")


MAX_BAGGAGE: Final = 3
"""How many entries of the baggage become attributes: each multiplies the series of a metric."""

_ENTRY = re.compile(baggage.ENTRY, re.ASCII)
_RESERVED: Final = ("after200.", "anthropic.", "error.", "exception.", "gen_ai.", "http.", "otel.", "server.")
"""The beginnings of the names that the package and the conventions use for its spans, metrics and log records."""
_TAKEN: Final = frozenset({*(re.sub(r"\W", "_", name) for name in ATTRIBUTES), "instance", "job", "le", "quantile"})
"""Names that are taken, as Prometheus writes them: what becomes the same label there is the same name here."""


def _baggage_entries(value: object) -> tuple[str, ...]:
    entries = value.split(",") if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)) or not all(isinstance(entry, str) for entry in entries):
        raise ValueError(_ACCEPTED_BAGGAGE)
    found = {re.sub(r"\W", "_", entry.strip()): entry.strip() for entry in reversed(entries)}
    if len(found) > MAX_BAGGAGE or not all(map(_ENTRY.fullmatch, found.values())):
        raise ValueError(_ACCEPTED_BAGGAGE)
    for label, entry in list(found.items()):
        if label in _TAKEN or entry.startswith(_RESERVED):
            warn_once(
                f"metric_baggage {entry}",
                "metric_baggage names %r, which is the name of an attribute or a label already, so it is ignored. "
                "Choose another name for the entry, as in tenant.id.",
                entry,
            )
            del found[label]
    return tuple(reversed(found.values()))


_ACCEPTED_BAGGAGE: Final = (
    f"at most {MAX_BAGGAGE} names of baggage entries, separated by commas, as in tenant.id,app.route"
)


@dataclass(frozen=True)
class Settings:
    """What the package records.

    Attributes:
        spans: `auto` completes the SDK's own span where it records one and makes a span of its own elsewhere; `own`
            always makes its own; `annotate` only completes the SDK's; `none` does neither.
        genai_metrics: whether the four `gen_ai.client.*` metrics are recorded.
        chunk_timing: whether `gen_ai.client.operation.time_per_output_chunk` is, once per chunk.
        correct_exceptions: whether an error that the SDK raises from a stream with status code 200 reaches the
            application as the SDK's class for it, with the corrected status code.
        on_call_end: called once with the `EndedCall` of each call, in the context of its span, while the span can
            still be written to. What it raises is logged once. A keyword only.
        metric_baggage: the names of the baggage entries that become attributes of `after200.calls`, `after200.answers`
            and `after200.tokens`, of spans and of log records; at most `MAX_BAGGAGE`.
        flush_on_sigterm: whether SIGTERM, where nobody else handles it, ends the open streams and flushes the providers
            before it ends the process.
    """

    spans: SpanMode = "auto"
    genai_metrics: bool = True
    chunk_timing: bool = False
    correct_exceptions: bool = False
    on_call_end: Callable[[EndedCall], object] | None = None
    metric_baggage: tuple[str, ...] = ()
    flush_on_sigterm: bool = False


class SharedKeywords(TypedDict, total=False):
    """The keywords that every `instrument(...)` has: settings, and providers in place of the global ones.

    `skip_dep_check` is a keyword of OpenTelemetry's base class: any version of the library is instrumented.
    """

    spans: SpanMode | None
    genai_metrics: bool | None
    chunk_timing: bool | None
    on_call_end: Callable[[EndedCall], object] | None
    metric_baggage: str | Sequence[str] | None
    flush_on_sigterm: bool | None
    tracer_provider: TracerProvider | None
    meter_provider: MeterProvider | None
    logger_provider: LoggerProvider | None
    skip_dep_check: bool


class InstrumentKeywords(SharedKeywords, total=False):
    """The keywords of `AnthropicInstrumentor().instrument(...)`. A keyword that is absent or None has no effect.

    `raise_exception_on_conflict` is OpenTelemetry's: it raises where the version of the SDK is not supported.
    """

    correct_exceptions: bool | None
    raise_exception_on_conflict: bool


class HTTPInstrumentKeywords(SharedKeywords, total=False):
    """The keywords of `HTTPInstrumentor().instrument(...)`. A keyword that is absent or None has no effect."""

    libraries: Iterable[str] | None


_PARSERS: Final[dict[str, Callable[[object], Any]]] = {
    "spans": _choice,
    "genai_metrics": _boolean,
    "chunk_timing": _boolean,
    "correct_exceptions": _boolean,
    "on_call_end": _callable,
    "flush_on_sigterm": _boolean,
    "metric_baggage": _baggage_entries,
}
_KEYWORDS_ONLY: Final = frozenset({"on_call_end"})


def read_settings(keywords: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """Returns the settings in `keywords`, else in `environment`, else the defaults. Warns, and never raises."""
    values: dict[str, Any] = {}
    for field in fields(Settings):
        variable = PREFIX + field.name.upper()
        if keywords.get(field.name) is not None:
            source, value = f"keyword {field.name}", keywords[field.name]
        elif field.name not in _KEYWORDS_ONLY and environment.get(variable, "").strip():
            source, value = variable, environment[variable]
        else:
            continue
        try:
            values[field.name] = _PARSERS[field.name](value)
        except ValueError as accepted:
            logger.warning("%s=%r is not valid: accepted is %s. Using %r.", source, value, accepted, field.default)
    _warn_of_unknown_names(keywords, environment)
    return Settings(**values)


def _warn_of_unknown_names(keywords: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Warns once of each keyword and each environment variable of ours that does not exist."""
    names = [field.name for field in fields(Settings)]
    variables = [PREFIX + name.upper() for name in names if name not in _KEYWORDS_ONLY]
    known = (*names, *PROVIDERS)
    for keyword in keywords:
        if keyword not in (*known, *_OF_THE_BASE_CLASS):
            warn_once(
                f"keyword {keyword}",
                "instrument() has no keyword %r, so it is ignored. The keywords are: %s.",
                keyword,
                ", ".join(known),
            )
    for variable in environment:
        if variable.startswith(PREFIX) and variable not in variables:
            warn_once(
                f"variable {variable}",
                "There is no environment variable %s, so it is ignored. The variables are: %s.",
                variable,
                ", ".join(variables),
            )
