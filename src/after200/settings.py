# SPDX-License-Identifier: Apache-2.0
"""Keywords of `instrument(...)` and environment variables → one frozen `Settings`.

A keyword comes before the environment, the environment before the default. A value that is not valid is named in one
warning, with what is accepted, and the default holds: a typing error must not take a service down.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from .guard import logger

PREFIX: Final = "OTEL_INSTRUMENTATION_AFTER200_"

SPANS: Final = ("auto", "own", "annotate", "none")


def _choice(value: object) -> str:
    if isinstance(value, str) and value.strip().lower() in SPANS:
        return value.strip().lower()
    raise ValueError("one of " + ", ".join(SPANS))


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError("true or false")


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
    """

    spans: str = "auto"
    genai_metrics: bool = True
    chunk_timing: bool = False
    correct_exceptions: bool = False


_PARSERS: Final[dict[str, Callable[[object], Any]]] = {
    "spans": _choice,
    "genai_metrics": _boolean,
    "chunk_timing": _boolean,
    "correct_exceptions": _boolean,
}


def read_settings(keywords: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `keywords`, or else in `environment`, or else the defaults."""
    values: dict[str, Any] = {}
    for field in fields(Settings):
        variable = PREFIX + field.name.upper()
        if keywords.get(field.name) is not None:
            source, value = f"keyword {field.name}", keywords[field.name]
        elif environment.get(variable, "").strip():
            source, value = variable, environment[variable]
        else:
            continue
        try:
            values[field.name] = _PARSERS[field.name](value)
        except ValueError as accepted:
            logger.warning("%s=%r is not valid: accepted is %s. Using %r.", source, value, accepted, field.default)
    return Settings(**values)
