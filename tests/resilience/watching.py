# SPDX-License-Identifier: Apache-2.0
"""A handful of calls, what an application sees of each, and what is logged meanwhile."""

from __future__ import annotations

import gc
import logging

from ..support.in_memory.answers import ANSWERS
from ..support.in_memory.application import Step, arun, run
from ..support.in_memory.trace import Trace
from ..support.in_memory.transport import Answer, Transport, client

Call = tuple[Answer, str, tuple[Step, ...], bool]


READINGS = (
    ("messages create", (Step("rest"),)),
    ("messages create", (Step("some"), Step("close"))),
    ("messages create", (Step("some"), Step("drop"))),
    ("messages helper", (Step("until_done"), Step("leave"))),
    ("messages streaming response", (Step("lines", 100), Step("leave"))),
    ("messages whole", ()),
)


CALLS: tuple[Call, ...] = tuple(
    (answer, surface, steps, asynchronous)
    for answer in ANSWERS
    for surface, steps in READINGS
    for asynchronous in (False, True)
)


def watch(call: Call) -> Trace:
    """What there is to see of one call."""
    answer, surface, steps, asynchronous = call
    trace: Trace = []
    # Not while the client is made, either: where a trace function raises in a finalizer that the collector runs at the
    # call of a function, Python 3.11 takes another object for that function.
    gc.disable()
    try:
        transport = Transport(answer, trace)
        with_client = client("Anthropic", transport, asynchronous)
        if asynchronous:
            arun(surface, list(steps), with_client, transport, trace, abrupt=False)
        else:
            run(surface, list(steps), with_client, trace)
        del with_client, transport
        return [*trace]  # A later collection may close an iterator that an old SDK leaves, and write into `trace`.
    finally:
        gc.enable()


def watch_all() -> list[Trace]:
    return [watch(call) for call in CALLS]


class Logged(logging.Handler):
    """What the package and OpenTelemetry log."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        record.exc_info = None  # Its frames are linked to those of the application, and would keep what is in them.
        self.records.append(record)

    @property
    def messages(self) -> list[str]:
        return [record.getMessage() for record in self.records]
