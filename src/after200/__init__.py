# SPDX-License-Identifier: Apache-2.0
"""OpenTelemetry instrumentation for the `anthropic` SDK: what happened after the 200.

    from after200 import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()

or run the service under `opentelemetry-instrument`, which does the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .instrumentor import AnthropicInstrumentor

__all__ = ["AnthropicInstrumentor", "__version__"]


def __getattr__(name: str) -> object:
    """Import on first use: every run of pytest loads the plugin in this package, and most want nothing of it."""
    if name == "AnthropicInstrumentor":
        from .instrumentor import AnthropicInstrumentor

        return AnthropicInstrumentor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
