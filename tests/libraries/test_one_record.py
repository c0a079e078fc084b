# SPDX-License-Identifier: Apache-2.0
"""One call, one record: beside the SDK's instrumentation, one library upon another; suppression, and putting back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import aiohttp
import anthropic
import botocore.httpsession
import httpx
import httpx2
import pytest
import requests
from opentelemetry.instrumentation.utils import suppress_instrumentation

from after200 import AnthropicInstrumentor, HTTPInstrumentor
from after200.faults import FaultServer

from ..support.streams.surfaces import REQUEST
from ..support.telemetry import Telemetry
from .calling import recorded
from .ways import HEADERS

STREAM = {**REQUEST, "stream": True}
PATCHED: tuple[tuple[Any, str], ...] = (
    (httpx.Client, "send"),
    (httpx.AsyncClient, "send"),
    (httpx2.Client, "send"),
    (httpx2.AsyncClient, "send"),
    (aiohttp.ClientSession, "_request"),
    (requests.Session, "send"),
    (requests.Response, "iter_content"),
    (botocore.httpsession.URLLib3Session, "send"),
)


def clients(telemetry: Telemetry) -> list[tuple[str, str | None]]:
    return [(call.outcome, call.attributes.get("after200.client")) for call in telemetry.calls]


@pytest.mark.parametrize("first", ["sdk", "libraries"])
def test_a_call_of_the_sdk_is_recorded_once_whichever_was_instrumented_first(
    first: str, server: FaultServer, telemetry: Telemetry
) -> None:
    url = server.base_url("completed")
    with ExitStack() as stack:
        for door in ("sdk", "libraries") if first == "sdk" else ("libraries", "sdk"):
            stack.enter_context(telemetry.instrumented() if door == "sdk" else recorded(telemetry))
        client = anthropic.Anthropic(api_key="none", base_url=url)
        list(client.messages.create(stream=True, **REQUEST))
        client.messages.create(**REQUEST)
        with client.messages.stream(**REQUEST) as stream:
            stream.get_final_message()
        httpx.post(f"{url}/v1/messages", json=REQUEST)
    assert [("completed", None)] * 3 + [("completed", "httpx")] == clients(telemetry)


def test_a_call_of_an_sdk_that_is_not_instrumented_is_one_of_its_http_client(
    server: FaultServer, telemetry: Telemetry
) -> None:
    with recorded(telemetry):
        client = anthropic.Anthropic(api_key="none", base_url=server.base_url("completed"))
        list(client.messages.create(stream=True, **REQUEST))
    assert [("completed", "httpx")] == clients(telemetry)


class OverAiohttp(httpx.AsyncBaseTransport):
    """A transport that sends through another library, as LiteLLM's does."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, str(request.url), data=await request.aread(), headers=HEADERS) as response,
        ):
            headers = list(response.headers.items())
            return httpx.Response(response.status, content=await response.read(), headers=headers)


def test_a_request_that_an_outer_library_follows_is_not_followed_again(
    server: FaultServer, telemetry: Telemetry
) -> None:
    async def main() -> None:
        async with httpx.AsyncClient(transport=OverAiohttp()) as client:
            await client.post(server.base_url("completed") + "/v1/messages", json=REQUEST)

    with recorded(telemetry):
        asyncio.run(main())
    assert [("completed", "httpx")] == clients(telemetry)


def test_a_hook_that_raises_for_an_http_error_ends_the_call_with_that_error(
    server: FaultServer, telemetry: Telemetry
) -> None:
    url = server.base_url("http_529") + "/v1/messages"
    with recorded(telemetry):
        hooks = {"response": [lambda response: response.raise_for_status()]}
        with httpx.Client(event_hooks=hooks) as client, pytest.raises(httpx.HTTPStatusError):
            client.post(url, json=REQUEST)
        raising = {"response": lambda response, **_: response.raise_for_status()}
        with pytest.raises(requests.HTTPError):
            requests.post(url, json=REQUEST, hooks=raising)

        async def main() -> None:
            async with aiohttp.ClientSession(raise_for_status=True) as session:
                await session.post(url, json=REQUEST)

        with pytest.raises(aiohttp.ClientResponseError):
            asyncio.run(main())
    recorded_calls = [(call.outcome, call.phase, call.error_type, call.wire_status) for call in telemetry.calls]
    assert [("failed", "request", "529", 529)] * 3 == recorded_calls


def test_suppressed_calls_are_not_recorded(server: FaultServer, telemetry: Telemetry) -> None:
    with recorded(telemetry), suppress_instrumentation():
        httpx.post(server.base_url("completed") + "/v1/messages", json=REQUEST)
    assert [] == clients(telemetry)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages/count_tokens", REQUEST),
        ("/v1/messages", {"text": "hi", "to": "somebody"}),
        ("/v1/messages/batches", {"requests": []}),
    ],
)
def test_a_request_that_is_no_call_is_left_alone(
    path: str, body: dict[str, Any], server: FaultServer, telemetry: Telemetry
) -> None:
    with recorded(telemetry):
        httpx.post(server.base_url("completed") + path, json=body)
        requests.post(server.base_url("completed") + path, json=body)
    assert [] == telemetry.spans


def test_a_body_that_can_be_sent_once_is_sent_as_it_is(server: FaultServer, telemetry: Telemetry) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"model": "claude-test", "max_tokens": 9, '
        yield b'"messages": [{"role": "user", "content": "Say hello."}]}'

    with recorded(telemetry):
        answer = httpx.post(server.base_url("completed") + "/v1/messages", content=pieces(), headers=HEADERS).json()
    [call] = telemetry.calls
    assert ("message", "completed", None) == (answer["type"], call.outcome, call.model)
    assert "gen_ai.request.stream" not in call.attributes


def test_uninstrumenting_gives_back_the_very_objects() -> None:
    before = [vars(owner)[attribute] for owner, attribute in PATCHED]
    HTTPInstrumentor().instrument()
    AnthropicInstrumentor().instrument(skip_dep_check=True)
    between = [vars(owner)[attribute] for owner, attribute in PATCHED]
    AnthropicInstrumentor().uninstrument()
    HTTPInstrumentor().uninstrument()
    after = [vars(owner)[attribute] for owner, attribute in PATCHED]
    assert [True] * len(PATCHED) == [old is new for old, new in zip(before, after, strict=True)]
    assert [False] * len(PATCHED) == [old is new for old, new in zip(before, between, strict=True)]


def test_only_the_libraries_that_are_named_are_instrumented(
    server: FaultServer, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    url = server.base_url("completed") + "/v1/messages"
    with recorded(telemetry, libraries=["requests", "urllib"]):
        httpx.post(url, json=REQUEST)
        requests.post(url, json=REQUEST)
    assert [("completed", "requests")] == clients(telemetry)
    assert "there is no library 'urllib' to instrument; the libraries are: httpx, aiohttp, requests, botocore" in (
        caplog.messages
    )
