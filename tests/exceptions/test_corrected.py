# SPDX-License-Identifier: Apache-2.0
"""Corrected exceptions, an option: what was raised with status code 200 is what it was all the time."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import pickle
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import anthropic
import pytest
from anthropic import _exceptions as sdk

from after200.faults import FaultServer

from ..support.contract import CLAUDE_API, SDK_CLASSES
from ..support.streams.seen import chain, text
from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from ..support.traced_calls import TWINS, Twin, async_client, client_options, sync_client
from .calls import RAISING, catch

DOCUMENTED = {error_type: (status, SDK_CLASSES[error_type]) for error_type, (status, _) in CLAUDE_API.items()}
"""Error type → status code, and its class in the SDK: the first of these that the installed version has."""

OVERLOADED = "overloaded_error_mid_stream"
CREATE = RAISING["messages.create(stream=True)"]
ONE_TABLE = "ERROR_CLASSES" in vars(getattr(anthropic, "_error_classes", object))


def class_for(error_type: str) -> type[Exception]:
    """The class of the installed SDK for `error_type`."""
    found: type[Exception] = next(vars(sdk)[name] for name in DOCUMENTED[error_type][1] if name in vars(sdk))
    return found


def unchanged(exception: Any) -> dict[str, Any]:
    """What of an exception no correction may change."""
    names = ("body", "message", "request_id", "type", "details", "api_message", "workspace_id", "args", "__notes__")
    return {name: text(getattr(exception, name)) for name in names if hasattr(exception, name)}


def caught_both_ways(
    server: FaultServer, telemetry: Telemetry, scenario: str, twin: Twin, way: str = CREATE.name
) -> tuple[Any, Any]:
    """What the application catches without the option and with it."""
    with telemetry.instrumented(correct_exceptions=False):
        off = catch(client_options(server, scenario), twin, RAISING[way])
    with telemetry.instrumented(correct_exceptions=True):
        on = catch(client_options(server, scenario), twin, RAISING[way])
    return off, on


# --- what is corrected ---


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("error_type", DOCUMENTED)
def test_every_documented_type_gets_its_class_and_its_status_code_and_keeps_the_rest(
    server: FaultServer, telemetry: Telemetry, error_type: str, twin: Twin
) -> None:
    off, on = caught_both_ways(server, telemetry, f"{error_type}_mid_stream", twin)
    assert (anthropic.APIStatusError, 200) == (type(off), off.status_code)
    assert (class_for(error_type), DOCUMENTED[error_type][0]) == (type(on), on.status_code)
    assert unchanged(off) == unchanged(on)
    assert "request_id" not in vars(on) or on.request_id == on.response.headers["request-id"]
    assert (200, on.response.request) == (on.response.status_code, on.request)


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("place", ["first_event", "mid_stream", "after_message_stop"])
@pytest.mark.parametrize("way", RAISING)
def test_in_whatever_way_and_wherever_in_the_stream(
    server: FaultServer, telemetry: Telemetry, way: str, place: str, twin: Twin
) -> None:
    off, on = caught_both_ways(server, telemetry, f"overloaded_error_{place}", twin, way)
    assert (anthropic.APIStatusError, 200) == (type(off), off.status_code)
    assert (class_for("overloaded_error"), 529) == (type(on), on.status_code)
    assert unchanged(off) == unchanged(on)


@pytest.mark.skipif(not ONE_TABLE, reason="before 2.5 the SDK's own choice depends on the client")
@pytest.mark.parametrize("error_type", DOCUMENTED)
def test_it_is_the_class_that_the_sdk_raises_before_a_stream(
    server: FaultServer, telemetry: Telemetry, error_type: str
) -> None:
    with telemetry.instrumented(correct_exceptions=True):
        on: Any = catch(client_options(server, f"{error_type}_mid_stream"), "sync")
    options = client_options(server, f"{error_type}_mid_stream", max_retries=0)
    with sync_client(options) as client, pytest.raises(anthropic.APIStatusError) as before:
        client.messages.create(**REQUEST)
    assert type(before.value) is type(on)
    assert before.value.status_code == on.status_code


CODES = [key for key in anthropic._error_classes.ERROR_CLASSES if key[1] is not None] if ONE_TABLE else []
TYPE_OF = {status: error_type for error_type, (status, _) in DOCUMENTED.items()}
WITHOUT_TYPE = {408, 412, 422, 431, 499, 501, 503}
"""Status codes of the SDK's table that no error type of a stream is documented for."""


@pytest.mark.skipif(not ONE_TABLE, reason="before 2.5 the SDK has no classes for error codes")
def test_each_error_code_that_the_sdk_knows_gets_its_own_class(telemetry: Telemetry) -> None:
    assert {status for status, _ in CODES} <= TYPE_OF.keys() | WITHOUT_TYPE
    known = [(status, code) for status, code in CODES if status in TYPE_OF]
    assert known
    with coded_errors() as url, telemetry.instrumented(correct_exceptions=True):
        for status, code in known:
            on: Any = catch({"api_key": "none", "base_url": f"{url}/{TYPE_OF[status]}/{code}"}, "sync")
            assert (anthropic._error_classes.ERROR_CLASSES[status, code], status) == (type(on), on.status_code)
            assert code == on.error_code


@contextlib.contextmanager
def coded_errors() -> Iterator[str]:
    """A server that answers HTTP 200 and an error event; the path names its type and its code."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            _, error_type, code, *_ = self.path.split("/")
            details = {"type": error_type, "message": "no", "details": {"error_code": code}}
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            self.wfile.write(f"event: error\ndata: {json.dumps({'type': 'error', 'error': details})}\n\n".encode())

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("correct", [False, True])
def test_the_application_catches_the_very_object_that_the_sdk_made(
    server: FaultServer, telemetry: Telemetry, correct: bool, twin: Twin
) -> None:
    made: list[Any] = []

    def watch(client: Any) -> Any:
        make = client._make_status_error

        def making(*args: Any, **kwargs: Any) -> Any:
            made.append(make(*args, **kwargs))
            return made[-1]

        object.__setattr__(client, "_make_status_error", making)
        return client

    async def acall() -> None:
        async with async_client(client_options(server, OVERLOADED)) as client:
            await CREATE.aread(watch(client), lambda event: None)

    def call() -> None:
        with sync_client(client_options(server, OVERLOADED)) as client:
            CREATE.read(watch(client), lambda event: None)

    with telemetry.instrumented(correct_exceptions=correct), pytest.raises(anthropic.APIStatusError) as caught:
        asyncio.run(acall()) if twin == "async" else call()
    assert [id(caught.value)] == [id(exception) for exception in made]


# --- what is not ---


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize(
    "scenario",
    [
        "unknown_error_mid_stream",
        "hostile_type_mid_stream",
        "error_not_json",
        "error_without_type",
        "error_is_string",
        "reset_mid_stream",
        "not_json_mid_stream",
        "http_529_always",
        "http_500_html",
        "http_404",
    ],
)
def test_what_has_no_corrected_status_code_stays_as_it_is(
    server: FaultServer, telemetry: Telemetry, scenario: str, twin: Twin
) -> None:
    off, on = caught_both_ways(server, telemetry, scenario, twin)
    assert (type(off), getattr(off, "status_code", None)) == (type(on), getattr(on, "status_code", None))
    assert unchanged(off) == unchanged(on)


@pytest.mark.parametrize("scenario", ["end_without_message_stop", "end_before_first_event", "completed"])
def test_what_is_silent_stays_silent(server: FaultServer, telemetry: Telemetry, scenario: str) -> None:
    def events() -> list[str]:
        with sync_client(client_options(server, scenario)) as client:
            return [text(event) for event in client.messages.create(stream=True, **REQUEST)]

    bare = events()
    with telemetry.instrumented(correct_exceptions=True):
        assert bare == events()


def test_the_telemetry_is_the_same_with_the_option_and_without(server: FaultServer) -> None:
    recorded = []
    for correct in (False, True):
        telemetry = Telemetry()
        with telemetry.instrumented(correct_exceptions=correct):
            catch(client_options(server, OVERLOADED), "sync")
        recorded.append((telemetry.all_points(), text(telemetry.logged())))
    assert recorded[0] == recorded[1]


# --- how the language treats it (3.10 remembers the class that an exception was first raised with) ---


@pytest.mark.parametrize("twin", TWINS)
def test_an_except_clause_and_a_context_manager_see_the_class(
    server: FaultServer, telemetry: Telemetry, twin: Twin
) -> None:
    expected = class_for("overloaded_error")
    seen: list[Any] = []

    class Watching(contextlib.AbstractContextManager[None]):
        def __exit__(self, kind: Any, exception: Any, trace: Any) -> None:
            seen.append(kind)

    def again(client: Any) -> Any:
        try:
            yield from client.messages.create(stream=True, **REQUEST)
        except Exception:
            seen.append("again")
            raise

    async def aagain(client: Any) -> Any:
        try:
            async for event in await client.messages.create(stream=True, **REQUEST):
                yield event
        except Exception:
            seen.append("again")
            raise

    async def acall() -> None:
        async with async_client(client_options(server, OVERLOADED)) as client:
            with Watching():
                async for _ in aagain(client):
                    pass

    def call() -> None:
        with sync_client(client_options(server, OVERLOADED)) as client, Watching():
            list(again(client))

    with telemetry.instrumented(correct_exceptions=True):
        try:
            asyncio.run(acall()) if twin == "async" else call()
        except expected as exception:
            seen.append(type(exception))
    assert ["again", expected, expected] == seen


@pytest.mark.parametrize("twin", TWINS)
def test_it_carries_the_traceback_and_the_context_that_it_had(
    server: FaultServer, telemetry: Telemetry, twin: Twin
) -> None:
    off, on = caught_both_ways(server, telemetry, OVERLOADED, twin)
    kept = ("str", "args", "notes", "suppressed", "caused", "body", "message", "request_id")

    def links(exception: BaseException) -> list[Any]:
        return [{name: link[name] for name in kept if name in link} for link in chain(exception)]

    assert links(off) == links(on)
    frames = [frame.name for frame in traceback.extract_tb(on.__traceback__)]
    assert [frame.name for frame in traceback.extract_tb(off.__traceback__)][-1] == frames[-1]
    assert "__stream__" in frames


def test_it_can_be_copied(server: FaultServer, telemetry: Telemetry) -> None:
    with telemetry.instrumented(correct_exceptions=True):
        on: Any = catch(client_options(server, OVERLOADED), "sync")
    if "__reduce__" not in vars(sdk.AnthropicError):
        pytest.skip("errors of this version of the SDK cannot be copied (they can from 2.7)")
    for twin in (copy.copy(on), pickle.loads(pickle.dumps(on))):
        assert (type(on), 529) == (type(twin), twin.status_code)
        assert unchanged(on) == unchanged(twin)
        assert 200 == twin.response.status_code
