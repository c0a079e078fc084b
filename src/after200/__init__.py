# SPDX-License-Identifier: Apache-2.0
"""OpenTelemetry instrumentation for the `anthropic` SDK: what happened after the 200.

    from after200 import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()

or run the service under `opentelemetry-instrument`, which does the same. For code that handles the errors of calls:

    from after200 import classify

    failure = classify(error)  # Failure(failure="overloaded", ..., status=529, retryable=True), whatever the SDK says
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ._version import __version__

if TYPE_CHECKING:
    from .call.ended import EndedCall
    from .call.failures import Failure
    from .classification import classify
    from .http_instrumentors import HTTPInstrumentor
    from .instrumentor import AnthropicInstrumentor
    from .settings import Settings

__all__ = ["AnthropicInstrumentor", "EndedCall", "Failure", "HTTPInstrumentor", "Settings", "__version__", "classify"]

_MODULES: Final = {
    "AnthropicInstrumentor": ".instrumentor",
    "EndedCall": ".call.ended",
    "Failure": ".call.failures",
    "HTTPInstrumentor": ".http_instrumentors",
    "Settings": ".settings",
    "classify": ".classification",
}
"""A public name → the module that it is imported from on first use."""


def __getattr__(name: str) -> object:
    """Import on first use: every run of pytest loads the plugin in this package, and most want nothing of it."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
