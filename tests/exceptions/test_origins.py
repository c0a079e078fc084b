# SPDX-License-Identifier: Apache-2.0
"""Whose exception it was: rule 3 of section 2 of the contract, with transports, hooks and handlers of real programs.

Each is raised below the real SDK and its real HTTP client. `classify` says of it what was recorded of its call.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import anthropic
import pytest

from after200 import Failure, classify, names
from after200.faults import FaultServer
from after200.testing import RecordedTelemetry

from ..support.in_memory.transport import http

ASK: dict[str, Any] = {"model": "claude-sonnet-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi?"}]}


class TransportError(Exception):
    """An error of a transport that no library knows."""


class TransportTimeout(TimeoutError):  # noqa: N818
    """A timeout of such a transport."""


class JobTimeout(TimeoutError):  # noqa: N818
    """A time limit of the application's own."""


Raise = Callable[[], None]


def raising(error: type[BaseException]) -> Raise:
    def throw() -> None:
        raise error("mine")

    return throw


class Body(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]
    """A body that does something before its first piece."""

    def __init__(self, inner: Any, action: Raise) -> None:
        self._inner = inner
        self._action = action

    def __iter__(self) -> Iterator[bytes]:
        self._action()
        yield from self._inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._action()
        async for piece in self._inner:
            yield piece

    def close(self) -> None:
        self._inner.close()

    async def aclose(self) -> None:
        await self._inner.aclose()


class Transport(http.HTTPTransport):  # type: ignore[misc]
    """The real transport, which does something before it sends, or while its body is read."""

    def __init__(self, at: str, action: Raise) -> None:
        super().__init__()
        self._at = at
        self._action = action

    def handle_request(self, request: Any) -> Any:
        if self._at == "before":
            self._action()
        response = super().handle_request(request)
        if self._at == "body":
            response.stream = Body(response.stream, self._action)
        return response


class AsyncTransport(http.AsyncHTTPTransport):  # type: ignore[misc]
    """The async twin of `Transport`."""

    def __init__(self, at: str, action: Raise) -> None:
        super().__init__()
        self._at = at
        self._action = action

    async def handle_async_request(self, request: Any) -> Any:
        if self._at == "before":
            self._action()
        response = await super().handle_async_request(request)
        if self._at == "body":
            response.stream = Body(response.stream, self._action)
        return response


def hooks(at: str, action: Raise, *, asynchronous: bool) -> dict[str, Any]:
    """Returns the hooks of a client that does something before a request, or once there is a response."""

    def hook(message: Any) -> None:
        action()

    async def ahook(message: Any) -> None:
        action()

    return {at: [ahook if asynchronous else hook]} if at in ("request", "response") else {}


def raised_by(server: FaultServer, at: str, action: Raise, *, asynchronous: bool, stream: bool = True) -> BaseException:
    """Has a call read, and returns what came out of it."""
    options: dict[str, Any] = {"api_key": "none", "base_url": server.base_url("completed"), "max_retries": 0}
    try:
        if asynchronous:
            asyncio.run(aread(options, at, action, stream=stream))
        else:
            client = http.Client(transport=Transport(at, action), event_hooks=hooks(at, action, asynchronous=False))
            with anthropic.Anthropic(http_client=client, **options) as claude:
                answer = claude.messages.create(**ASK, stream=stream)
                for _ in answer if stream else ():
                    pass
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


async def aread(options: dict[str, Any], at: str, action: Raise, *, stream: bool) -> None:
    client = http.AsyncClient(transport=AsyncTransport(at, action), event_hooks=hooks(at, action, asynchronous=True))
    async with anthropic.AsyncAnthropic(http_client=client, **options) as claude:
        answer: Any = await claude.messages.create(**ASK, stream=stream)
        if stream:
            async for _ in answer:
                pass


CONNECTION = Failure("connection", "connection_error", None, None, True)
TIMEOUT = Failure("timeout", "client_timeout_error", None, None, True)
OTHER = Failure("other", names.OTHER, None, None, False)
OWN = f"{__name__}.TransportError"


class Expected(NamedTuple):
    outcome: str
    failure: Failure | None
    phase: str | None = None
    exception: str | None = None


ROWS: dict[str, tuple[str, Raise, Expected]] = {
    "a transport's own class, before it sends": (
        "before",
        raising(TransportError),
        Expected("failed", CONNECTION, "request", OWN),
    ),
    "a transport's own class, out of its body": (
        "body",
        raising(TransportError),
        Expected("failed", CONNECTION, "first_chunk", OWN),
    ),
    "a transport's own timeout, before it sends": (
        "before",
        raising(TransportTimeout),
        Expected("failed", TIMEOUT, "request", f"{__name__}.TransportTimeout"),
    ),
    "a transport's own timeout, out of its body": (
        "body",
        raising(TransportTimeout),
        Expected("failed", TIMEOUT, "first_chunk", f"{__name__}.TransportTimeout"),
    ),
    "a fault of a transport, out of its body": (
        "body",
        raising(KeyError),
        Expected("failed", OTHER, "first_chunk", "KeyError"),
    ),
    "the end of a connection, out of a body": (
        "body",
        raising(EOFError),
        Expected("failed", CONNECTION, "first_chunk", "EOFError"),
    ),
    "an own class out of a hook before the request": ("request", raising(JobTimeout), Expected("cancelled", None)),
    "an own class out of a hook on the response": ("response", raising(JobTimeout), Expected("cancelled", None)),
    "a fault of a hook on the response": ("response", raising(KeyError), Expected("cancelled", None)),
}


def recorded(telemetry: RecordedTelemetry) -> Expected:
    [call] = telemetry.calls
    exception = [log.get("exception.type") for log in telemetry.logs]
    if call.failure is None:
        assert [] == exception
        return Expected(call.outcome, None)
    assert call.error_type is not None
    assert call.retryable is not None
    failure = Failure(call.failure, call.error_type, None, call.status, call.retryable)  # type: ignore[arg-type]
    return Expected(call.outcome, failure, call.phase, exception[0])


def attempts(telemetry: RecordedTelemetry) -> list[Any]:
    return [point.attributes.get(names.ERROR_TYPE) for point in telemetry.points(names.ATTEMPTS.name)]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("row", ROWS)
def test_whose_an_exception_was_is_told_by_who_raised_it_and_where(
    row: str, asynchronous: bool, server: FaultServer
) -> None:
    at, action, expected = ROWS[row]
    with RecordedTelemetry() as telemetry:
        error = raised_by(server, at, action, asynchronous=asynchronous)
    assert expected == recorded(telemetry)
    assert expected.failure == classify(error)
    if at == "before":
        assert expected.failure is not None
        assert [expected.failure.error_type] == attempts(telemetry)


# --- signal handlers ---


@contextmanager
def time_limit(handler: Any) -> Iterator[Raise]:
    """Has the application interrupted by a signal, as by an alarm, and takes its handler out again."""
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        yield lambda: signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


class Handler:
    """A handler that is an object."""

    def __init__(self, error: type[BaseException]) -> None:
        self._error = error

    def __call__(self, number: int, frame: Any) -> None:
        raise self._error("time is up")

    def method(self, number: int, frame: Any) -> None:
        raise self._error("time is up")


def as_function(error: type[BaseException]) -> Any:
    def handler(number: int, frame: Any) -> None:
        raise error("time is up")

    return handler


HANDLERS: dict[str, Callable[[type[BaseException]], Any]] = {
    "function": as_function,
    "object": Handler,
    "method": lambda error: Handler(error).method,
}


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("at", ["before", "body"])
@pytest.mark.parametrize("error", [JobTimeout, TimeoutError, KeyError, SystemExit])
@pytest.mark.parametrize("handler", HANDLERS)
def test_what_a_signal_handler_raises_cancels_the_call_wherever_it_interrupts_it(
    handler: str, error: type[BaseException], at: str, asynchronous: bool, server: FaultServer
) -> None:
    with RecordedTelemetry() as telemetry, time_limit(HANDLERS[handler](error)) as interrupt:
        raised = raised_by(server, at, interrupt, asynchronous=asynchronous)
        assert None is classify(raised)
    assert Expected("cancelled", None) == recorded(telemetry)
    assert None is classify(raised), "once the handler is no longer installed"


# --- what the application does by itself ---


def test_a_fault_of_the_application_beside_its_calls_is_no_failure_of_one() -> None:
    for fault in (lambda: {}["k"], lambda: 1 // 0, lambda: int("x"), lambda: __import__("json").loads("{")):
        with pytest.raises((LookupError, ArithmeticError, ValueError)) as caught:
            fault()
        assert None is classify(caught.value)


@pytest.mark.parametrize("own_name", ["handle_request", "handle_async_request", "iter_raw"])
def test_a_function_of_the_application_that_is_named_as_one_of_the_client_s_is_no_transport(own_name: str) -> None:
    namespace: dict[str, Any] = {"__name__": __name__, "JobTimeout": JobTimeout}
    exec(f"def {own_name}():\n    raise JobTimeout('mine')", namespace)
    with pytest.raises(JobTimeout) as caught:
        namespace[own_name]()
    assert None is classify(caught.value)


async def test_of_a_group_that_a_task_group_raises_the_failure_counts(server: FaultServer) -> None:
    options: dict[str, Any] = {"api_key": "none", "max_retries": 0}

    async def ask() -> None:
        async with anthropic.AsyncAnthropic(base_url=server.base_url("http_529_always"), **options) as claude:
            await claude.messages.create(**ASK)

    async def fail() -> None:
        raise KeyError("the application's own")

    group = getattr(__import__("builtins"), "BaseExceptionGroup", None)
    if group is None:
        pytest.skip("Python 3.10 has no groups of exceptions")
    results = await asyncio.gather(fail(), ask(), return_exceptions=True)
    error = group("of a task group", results)
    assert Failure("overloaded", "overloaded_error", None, 529, True) == classify(error)
