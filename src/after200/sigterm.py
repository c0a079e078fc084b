# SPDX-License-Identifier: Apache-2.0
"""`flush_on_sigterm`: SIGTERM ends the process as ever, but not before what was recorded has left it.

Where nobody handles SIGTERM, the kernel ends the process at once: no exit handler runs, and everything that waits for
the next export is lost. The handler here ends the open streams, flushes the providers, for at most `LIMIT` seconds in
all, and sends the process the signal again, with its default action. It takes the place of the default action, also
where a server gives the signal its default action back (gunicorn does in its workers, an event loop at its end).

A handler runs in the main thread, in the middle of whatever that thread does. Flushing needs the locks of
OpenTelemetry, which the main thread may hold just then. So the handler lets it go on while it records or exports, comes
back, and has other threads do the flushing while it waits.
"""

from __future__ import annotations

import _thread
import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from time import monotonic
from types import FrameType
from typing import Any, Final

from opentelemetry import _logs, metrics, trace

from .following.process_end import end_all
from .guard import guarded, warn_once
from .locks import in_child

LIMIT: Final = 5.0
"""How long the process may go on after SIGTERM, in seconds."""

STEP: Final = 0.002
"""How long the handler sleeps before it looks again, in seconds."""

GLOBAL: Final[dict[str, Callable[[], Any]]] = {
    "tracer_provider": trace.get_tracer_provider,
    "meter_provider": metrics.get_meter_provider,
    "logger_provider": _logs.get_logger_provider,
}
"""Keyword of `instrument()` → the provider that is used without it."""

_RECORDING: Final = (
    "after200.signals.",
    "after200.following.running.",
    "opentelemetry.sdk.",
    "opentelemetry.exporter.",
)
"""Modules that are on the stack only while something is recorded or exported."""


class _Handling:
    """What this process does about SIGTERM."""

    users: Final[dict[int, Mapping[str, Any]]] = {}
    """The instrumentations that want the handler, each with its providers by keyword."""

    until: float | None = None
    """When the process ends at the latest; None before the signal came."""

    is_flushing = False


_set_handler = signal.signal
"""Python's own."""


@functools.wraps(_set_handler)
def _set_default_as_ours(number: Any, handler: Any) -> Any:
    """`signal.signal`, for which the default action of SIGTERM is our handler while an instrumentation wants it."""
    is_default = isinstance(handler, int) and handler == signal.SIG_DFL
    if is_default and _Handling.users and isinstance(number, int) and number == signal.SIGTERM:
        handler = _on_sigterm
    return _set_handler(number, handler)


@guarded
def install(user: object, providers: Mapping[str, Any]) -> None:
    """Has SIGTERM flush `providers` (by keyword of `instrument()`) before it ends the process, for `user`.

    A handler of the application's stays, until it gives the signal its default action back. Only the main thread can
    install one; elsewhere, one warning.
    """
    if threading.current_thread() is not threading.main_thread():
        warn_once(
            "flush_on_sigterm",
            "flush_on_sigterm has no effect: instrument() was not called in the main thread, and Python lets no other "
            "thread handle signals.",
        )
        return
    _Handling.users[id(user)] = {name: providers.get(name) or use() for name, use in GLOBAL.items()}
    if signal.signal is _set_handler:
        signal.signal = _set_default_as_ours  # type: ignore[assignment]
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        _set_handler(signal.SIGTERM, _on_sigterm)


@guarded
def remove(user: object) -> None:
    """Gives SIGTERM its default action back, where no other instrumentation wants the handler."""
    _Handling.users.pop(id(user), None)
    if _Handling.users:
        return
    if signal.signal is _set_default_as_ours:
        signal.signal = _set_handler
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and signal.getsignal(signal.SIGTERM) is _on_sigterm:
        _set_handler(signal.SIGTERM, signal.SIG_DFL)


@in_child
def start_anew() -> None:
    """In a process that has just been forked."""
    _Handling.until, _Handling.is_flushing = None, False


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    if _Handling.is_flushing:
        return  # A second signal: the process ends within `LIMIT` seconds after the first.
    if _Handling.until is None:
        _Handling.until = monotonic() + LIMIT
    if records(frame) and monotonic() < _Handling.until:
        _come_back()
        return
    _Handling.is_flushing = True
    _flush(_Handling.until)
    _set_handler(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
    # The first process of a container has no default action: the kernel has done nothing, as without this handler.
    start_anew()
    _set_handler(signal.SIGTERM, _on_sigterm)


def records(frame: FrameType | None) -> bool:
    """Returns whether the thread that is at `frame` is recording or exporting, and may hold a lock for that."""
    innermost = None
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if f"{module}.".startswith(_RECORDING):
            return True
        package = module.partition(".")[0]
        if innermost is None and package not in sys.stdlib_module_names:
            innermost = package
        frame = frame.f_back
    return innermost in ("after200", "opentelemetry")


@guarded
def _come_back() -> None:
    """Has the main thread get the signal again in a moment."""

    def send() -> None:
        _real(time, "sleep")(STEP)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    _real(_thread, "start_new_thread")(guarded(send), ())


@guarded
def _flush(until: float) -> None:
    """Ends the open streams and flushes the providers, in other threads. Returns when that is done, or at `until`."""
    done: list[None] = []
    threads = 0

    def start(work: Callable[[], object]) -> None:
        nonlocal threads
        threads += 1
        _real(_thread, "start_new_thread")(finish, (guarded(work),))

    def finish(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            done.append(None)

    def wait() -> None:
        while len(done) < threads and monotonic() < until:
            _real(time, "sleep")(STEP)

    start(end_all)
    wait()
    for provider in providers_in_use():
        start(lambda flush=provider.force_flush: flush(max(int((until - monotonic()) * 1000), 1)))  # type: ignore[misc]
    wait()


def providers_in_use() -> list[Any]:
    """Returns the providers that can be flushed, each once."""
    found: dict[int, Any] = {}
    for providers in _Handling.users.values():
        for name, use in GLOBAL.items():
            # Until a global provider is set, OpenTelemetry hands out one that stands for it and cannot be flushed.
            provider = providers[name] if hasattr(providers[name], "force_flush") else use()
            if hasattr(provider, "force_flush"):
                found[id(provider)] = provider
    return list(found.values())


def _real(module: Any, name: str) -> Any:
    """Returns what Python has under `name`, also where gevent has put something else in its place.

    A greenlet would not run before the handler returns.
    """
    monkey = sys.modules.get("gevent.monkey")
    return getattr(module, name) if monkey is None else monkey.get_original(module.__name__, name)
