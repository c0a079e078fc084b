# SPDX-License-Identifier: Apache-2.0
"""What is recorded of calls that are no messages: spans and series, with what all of them have in common filled in."""

from __future__ import annotations

from typing import Any

from after200.faults import FaultServer

from ..support.platforms.expected import recorded_span
from ..support.telemetry import Telemetry, series

__all__ = ["inner_errors", "outcome", "recorded", "span"]


def span(server: FaultServer, operation: str, model: str | None = None, **attributes: Any) -> dict[str, Any]:
    """A span of a stream that was answered with 200. `attributes`: as in telemetry, with `__` in place of dots."""
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    whole = {
        "name": operation if model is None else f"{operation} {model}",
        "kind": "CLIENT",
        "status": "ERROR" if "error.type" in named else "UNSET",
        "description": None,
        "events": [],
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.stream": True,
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "anthropic.request.id": "req_N",
        "after200.wire.status_code": 200,
        **({} if model is None else {"gen_ai.request.model": model}),
        **({} if "error.type" in named else {"http.response.status_code": 200}),
        **named,
    }
    return {name: value for name, value in whole.items() if value is not None or name == "description"}


def recorded(telemetry: Telemetry) -> list[dict[str, Any]]:
    """The spans that were recorded. None is left open, and no stream is."""
    assert telemetry.open_spans == []
    assert telemetry.total("after200.streams.open") == 0
    return [recorded_span(found) for found in telemetry.spans]


def outcome(telemetry: Telemetry) -> dict[str, float]:
    """How many calls ended in which way."""
    counted: dict[str, float] = {}
    for metric, point in telemetry.data_points():
        if metric.name == "after200.calls" and point.value:
            name = point.attributes["after200.outcome"]
            counted[name] = counted.get(name, 0) + point.value
    return counted


def inner_errors(telemetry: Telemetry) -> dict[str, float]:
    """The series of `after200.inner_errors`."""
    return {
        series(metric.name, point.attributes): point.value
        for metric, point in telemetry.data_points()
        if metric.name == "after200.inner_errors"
    }
