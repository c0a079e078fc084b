# SPDX-License-Identifier: Apache-2.0
"""A program that forks while its threads do everything at once: `python forking_anytime.py URL FORKS`.

Each child makes calls that use all of the package. It prints one JSON object: what of the children went wrong, and how
many there were. A child that hangs writes where each of its threads stands to standard error, and ends.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from itertools import count
from typing import Any

import anthropic
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from after200 import AnthropicInstrumentor

REQUEST: Any = {"max_tokens": 64, "messages": [{"role": "user", "content": "Say hello."}]}
SCENARIOS = {
    "rate_limits": "completed",
    "server_tools_mixed": "completed",
    "refusal": "completed",
    "cached_by_ttl": "completed",
    "http_529_retry_after_ms_then_completed": "completed",
    "unknown_error_mid_stream": "failed",
    "http_400": "failed",
    "end_without_message_stop": "truncated",
}
HANGS_AFTER = 60.0
"""After how many seconds a child is taken for one that hangs: only a hang takes as long."""

keys = count()


class Ended(SpanProcessor):
    """Keeps the outcome of each span without a lock, which a fork could leave held."""

    def __init__(self) -> None:
        self.outcomes: deque[str] = deque()

    def on_end(self, span: ReadableSpan) -> None:
        self.outcomes.append(str((span.attributes or {})["after200.outcome"]))


def new_client(url: str) -> anthropic.Anthropic:
    """A client for one thread of one process: a fork can leave the locks of a client held."""
    return anthropic.Anthropic(api_key="none", base_url=url)


def keyed(client: anthropic.Anthropic, scenario: str) -> anthropic.Anthropic:
    """The same client for a call of its own in `scenario`."""
    return client.copy(base_url=f"{str(client.base_url).rstrip('/')}/{scenario}@{os.getpid()}-{next(keys)}")


def call(client: anthropic.Anthropic, scenario: str, model: str) -> None:
    """One call that is read to its end."""
    try:
        for _ in keyed(client, scenario).messages.create(stream=True, model=model, **REQUEST):
            pass
    except anthropic.APIStatusError:
        pass


def drop(url: str) -> None:
    """A stream that is dropped after its first event, and its client with it.

    Before 1.14 of the SDK, the collector closes such a stream, which waits for a lock of the client's. A thread of
    that client would wait for itself, if it were collecting while it holds the lock, with the package and without.
    """
    next(keyed(new_client(url), "completed").messages.create(stream=True, model="claude-test", **REQUEST))


def instrument_again(providers: dict[str, Any]) -> None:
    AnthropicInstrumentor().uninstrument()
    AnthropicInstrumentor().instrument(spans="own", skip_dep_check=True, chunk_timing=True, **providers)


def locks_of_the_sdk() -> list[threading.RLock]:  # type: ignore[valid-type]
    """The locks with which Python before 3.12 guards the SDK's cached properties: one for all streams of a process."""
    classes = (anthropic.Stream, anthropic.Anthropic, anthropic.resources.Messages)
    properties = [value for each in classes for cls in each.__mro__ for value in vars(cls).values()]
    return [value.lock for value in properties if isinstance(value, cached_property) and hasattr(value, "lock")]


def child(url: str, ended: Ended, number: int) -> int:
    """Makes its calls. Returns the status of its exit: 0 when each was recorded once."""
    faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
    ended.outcomes.clear()
    client = new_client(url)
    for scenario in SCENARIOS:
        call(client, scenario, f"claude-{number}")
    wanted, found = Counter(SCENARIOS.values()), Counter(ended.outcomes)
    if wanted == found:
        return 0
    print(f"recorded were {found}", file=sys.stderr)
    return 1


def main(url: str, forks: int) -> None:
    ended = Ended()
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    tracer_provider.add_span_processor(ended)
    reader = InMemoryMetricReader()
    providers = {
        "tracer_provider": tracer_provider,
        "meter_provider": MeterProvider([reader], shutdown_on_exit=False),
    }
    AnthropicInstrumentor().instrument(spans="own", skip_dep_check=True, chunk_timing=True, **providers)
    done = threading.Event()
    # Nobody instruments while a fork is made: a process that forks halfway through that is half instrumented.
    instrumenting = threading.Lock()

    def again_and_again(work: Callable[..., object], *arguments: Any) -> Callable[[], None]:
        def repeat() -> None:
            while not done.is_set():
                work(*arguments)
                done.wait(0.001)

        return repeat

    def swap() -> None:
        with instrumenting:
            instrument_again(providers)

    works = [
        again_and_again(call, new_client(url), "rate_limits", "claude-test"),
        again_and_again(call, new_client(url), "server_tools_mixed", "claude-test"),
        again_and_again(drop, url),
        again_and_again(reader.get_metrics_data),
        again_and_again(reader.get_metrics_data),
        again_and_again(swap),
    ]
    # A first call imports what it needs: Python's own lock of a module in the middle of that stays held in a child.
    for scenario in ("rate_limits", "server_tools_mixed"):
        call(new_client(url), scenario, "claude-test")
    drop(url)
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    sys.setswitchinterval(1e-5)
    for thread in threads:
        thread.start()
    statuses: Counter[int] = Counter()
    for number in range(forks):
        with ExitStack() as held:
            # Nor while a lock is held that is the SDK's, which a child would wait for with the package and without.
            for lock in (instrumenting, *locks_of_the_sdk()):
                held.enter_context(lock)
            process = os.fork()
        if not process:
            sys.setswitchinterval(0.005)
            os._exit(child(url, ended, number))
        statuses[os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])] += 1
    done.set()
    for thread in threads:
        thread.join(HANGS_AFTER)
    print(json.dumps({"statuses": dict(statuses), "threads left": sum(thread.is_alive() for thread in threads)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
