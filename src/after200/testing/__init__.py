# SPDX-License-Identifier: Apache-2.0
"""What was recorded in a test: `RecordedTelemetry` instruments the SDK with providers of its own and keeps everything.

    with RecordedTelemetry() as telemetry:
        ask_claude()
    assert telemetry.calls[0].failure == "overloaded"

Needs `opentelemetry-sdk`; for tests, never production. The package also holds the pytest plugin, which pytest loads
wherever after200 is installed, so nothing is imported before one of the names is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .recorded import RecordedCall, RecordedPoint, RecordedTelemetry

__all__ = ["RecordedCall", "RecordedPoint", "RecordedTelemetry"]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for. Raises `AttributeError` for every other name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import recorded

    return getattr(recorded, name)
