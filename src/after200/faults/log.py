# SPDX-License-Identifier: Apache-2.0
"""What was served: one frozen `Served` per request, in a bounded log that any thread may read and wait on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from after200.names import Answer

from .truth import Truth

Condition = Callable[[tuple["Served", ...]], object]


@dataclass(frozen=True)
class Served:
    """One request and what it was answered.

    `finished`: "end" (the body ended properly), "cut" (closed in the middle of the body), "reset", "stalled" (the
    client left a stall), "client_left", "stopped" (the server was stopped). `failure` is the error type that the
    wire carried, if it came to that. `wire_status` is None when no status line was sent. `content` is what the response
    said: the tokens that it bills, the kind of answer, the tools that ran at the provider. `headers` are those of the
    response, by their lower-case names, without those of the connection itself. Times are seconds since the epoch.
    """

    scenario: str
    key: str
    method: str
    path: str
    wire: str
    api: str
    model: str
    request_id: str
    streaming: bool
    attempt: int
    wire_status: int | None
    events_sent: tuple[str, ...]
    finished: str
    failure: str | None
    started: float
    ended: float
    content: Truth = field(default_factory=Truth)
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def answer(self) -> Answer | None:
        """The kind of answer that a client has which reads to the end; None when the call fails for it."""
        return self.content.answer if self.failure is None and self.finished == "end" else None

    @property
    def retry_after(self) -> float | None:
        """How long the response asked the client to wait before the next attempt, in seconds."""
        if "retry-after-ms" in self.headers:
            return float(self.headers["retry-after-ms"]) / 1000
        return float(self.headers["retry-after"]) if "retry-after" in self.headers else None

    @property
    def should_retry(self) -> bool | None:
        """What the response said in `x-should-retry`."""
        return {"true": True, "false": False}.get(self.headers.get("x-should-retry", ""))


class Log:
    """A bounded log of what was served; the oldest entries give way."""

    def __init__(self, limit: int) -> None:
        self._served: deque[Served] = deque(maxlen=limit)
        self._changed = threading.Condition()
        self._open = 0

    def opened(self) -> None:
        """The serving of a request begins."""
        with self._changed:
            self._open += 1

    def closed(self) -> None:
        """The serving of a request is over, and so is everything about it."""
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def add(self, served: Served) -> None:
        with self._changed:
            self._served.append(served)
            self._changed.notify_all()

    def snapshot(self) -> tuple[Served, ...]:
        with self._changed:
            return tuple(self._served)

    def clear(self) -> None:
        with self._changed:
            self._served.clear()

    def wait_for(self, condition: Condition, timeout: float) -> tuple[Served, ...]:
        """Wait until the log meets the condition; raises `TimeoutError` that shows the last entries."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(tuple(self._served)), timeout):
                last = "; ".join(f"{entry.scenario} {entry.finished}" for entry in list(self._served)[-5:])
                raise TimeoutError(
                    f"the condition was not met within {timeout} s: {len(self._served)} requests served, "
                    f"{self._open} open, the last: {last or 'none'}"
                )
            return tuple(self._served)

    def wait_idle(self, timeout: float) -> tuple[Served, ...]:
        """Wait until no request is being served."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._open == 0, timeout):
                raise TimeoutError(f"{self._open} requests are still being served after {timeout} s")
            return tuple(self._served)
