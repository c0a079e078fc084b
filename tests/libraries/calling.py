# SPDX-License-Identifier: Apache-2.0
"""An application that calls a fault server through an HTTP library, and the telemetry of such calls."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from after200 import HTTPInstrumentor
from after200.faults import FaultServer

from ..support.streams.seen import Seen
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from .ways import Way

_keys = itertools.count()


def play(server: FaultServer, scenario: str, way: Way, timeout: float = 30.0) -> Seen:
    """Plays `scenario` to a call that is made in this way, and returns what the application saw of it."""
    seen = Seen()
    url = server.base_url(scenario, str(next(_keys))) + "/v1/messages"
    try:
        way.read(url, {**REQUEST, "stream": way.stream}, seen, timeout)
    except Exception as exception:
        seen.exception = exception
    server.wait_idle()
    return seen


@contextmanager
def recorded(telemetry: Telemetry, **keywords: Any) -> Iterator[None]:
    """Every library instrumented with the providers of `telemetry`."""
    instrumentor = HTTPInstrumentor()
    instrumentor.instrument(
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        logger_provider=telemetry.logger_provider,
        **keywords,
    )
    try:
        yield
    finally:
        instrumentor.uninstrument()
