# SPDX-License-Identifier: Apache-2.0
"""The SDK's own tracing, which versions from 1.14 have: whether it is there, and the client's option for it."""

from __future__ import annotations

import inspect
from typing import Any

import anthropic
import pytest
from opentelemetry.trace import TracerProvider


def _has_tracing(cls: Any) -> bool:
    return "open_telemetry" in inspect.signature(cls.__init__).parameters


HAS_TRACING = _has_tracing(anthropic.Anthropic)

NEEDS_TRACING = pytest.mark.skipif(not HAS_TRACING, reason="this version of the SDK has no tracing of its own")


def sdk_spans(provider: TracerProvider | None, cls: type = anthropic.Anthropic) -> dict[str, Any]:
    """The options of a client of `cls` whose own spans `provider` makes, or that has no spans of its own."""
    if not _has_tracing(cls):
        return {}
    return {"open_telemetry": False if provider is None else {"tracer_provider": provider}}
