# SPDX-License-Identifier: Apache-2.0
"""The same call on every platform: one contract, whoever answers it and wherever that says which model it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from anthropic.types import RawMessageStreamEvent

from after200.faults import FaultServer

from ..support.platforms.clients import PLATFORMS, REQUEST, make_client
from ..support.platforms.expected import COMPLETED, CUT, Fault, failed, refused
from ..support.platforms.readers import RAW, STREAMED, STREAMS, WHOLE, Seen, Way
from ..support.telemetry import Telemetry, described
from .checking import Check

SSE = [name for name, platform in PLATFORMS.items() if platform.wire != "bedrock"]
"""The platforms that stream as the Claude API does."""

IN_STREAM: dict[str, Fault] = {
    "completed": COMPLETED,
    "overloaded_error_mid_stream": failed("overloaded_error", 529, "overloaded", "Overloaded"),
    "overloaded_error_first_event": failed(
        "overloaded_error", 529, "overloaded", "Overloaded", phase="first_chunk", known="nothing"
    ),
    "error_unnamed": failed("overloaded_error", 529, "overloaded", "Overloaded"),
    "end_without_message_stop": CUT,
    "half_chunk": failed("connection_error", None, "connection", "The connection was lost."),
}

REFUSED: dict[str, Fault] = {
    "http_413": refused("request_too_large", 413, "invalid_request", "Request exceeds the maximum size"),
    "http_413_html": refused("413", 413, "invalid_request", "HTTP 413"),
    "http_529": refused("overloaded_error", 529, "overloaded", "Overloaded"),
    "http_529_html": refused("529", 529, "overloaded", "HTTP 529"),
}

GOOGLE: dict[str, Fault] = {
    "vertex_http_400": refused("400", 400, "invalid_request", "Refused by the platform"),
    "vertex_http_403": refused("403", 403, "denied", "Refused by the platform"),
    "vertex_http_429": refused("429", 429, "rate_limited", "Refused by the platform"),
    "vertex_http_503": refused("503", 503, "overloaded", "Refused by the platform"),
}
"""Google names its errors in a field of its own, which is no error type of the contract's: the status code stands."""

# Without credentials, some versions take it for a client of Anthropic's own server.
_OF_AWS = {"skip_auth": False, "aws_access_key": "key", "aws_secret_key": "secret", "workspace_id": "workspace"}
ADDRESSES: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic": ("api.anthropic.com", {}),
    "bedrock": ("bedrock-runtime.eu-west-1.amazonaws.com", {"aws_region": "eu-west-1"}),
    "vertex": ("us-east5-aiplatform.googleapis.com", {}),
    "foundry": ("example.services.ai.azure.com", {"resource": "example"}),
    "aws": ("aws-external-anthropic.eu-west-1.api.aws", {"aws_region": "eu-west-1", **_OF_AWS}),
    "mantle": ("bedrock-mantle.eu-west-1.api.aws", {"aws_region": "eu-west-1"}),
}
"""The server of each platform when the application does not name one."""

RESET = "reset_before_response"
LOST = Fault(
    "failed", "connection_error", None, "connection", "The connection was lost.", "request", "nothing", wire=None
)


pytestmark = pytest.mark.variants


@pytest.mark.parametrize("way", STREAMS, ids=str)
@pytest.mark.parametrize("scenario", ["completed", "overloaded_error_mid_stream"])
@pytest.mark.parametrize("platform", SSE)
def test_a_stream_is_recorded_the_same_on_every_platform(check: Check, platform: str, scenario: str, way: Way) -> None:
    check(platform, scenario, way, IN_STREAM[scenario])


@pytest.mark.parametrize("way", [STREAMED[1], STREAMED[2]], ids=str)
@pytest.mark.parametrize("scenario", [name for name in IN_STREAM if name not in ("completed",)])
@pytest.mark.parametrize("platform", SSE)
def test_a_failure_in_the_stream_is_recorded_the_same_on_every_platform(
    check: Check, platform: str, scenario: str, way: Way
) -> None:
    check(platform, scenario, way, IN_STREAM[scenario])


@pytest.mark.parametrize("way", [STREAMED[0], STREAMED[3], RAW[0], WHOLE[0], WHOLE[1]], ids=str)
@pytest.mark.parametrize("scenario", ["http_413", "http_529"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_413_and_529_before_the_stream_keep_their_names_and_their_status(
    check: Check, platform: str, scenario: str, way: Way
) -> None:
    check(platform, scenario, way, REFUSED[scenario])


@pytest.mark.parametrize("scenario", ["http_413_html", "http_529_html"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_status_that_nobody_names_is_its_own_name(check: Check, platform: str, scenario: str) -> None:
    check(platform, scenario, STREAMED[0], REFUSED[scenario])


@pytest.mark.parametrize("way", [STREAMED[0], WHOLE[1]], ids=str)
@pytest.mark.parametrize("scenario", GOOGLE)
def test_an_error_of_google_s_own_is_named_by_its_status(check: Check, scenario: str, way: Way) -> None:
    check("vertex", scenario, way, GOOGLE[scenario])


@pytest.mark.parametrize("way", [STREAMED[0], WHOLE[1]], ids=str)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_connection_lost_before_an_answer_has_no_status(check: Check, platform: str, way: Way) -> None:
    check(platform, RESET, way, LOST)


@pytest.mark.parametrize("way", [STREAMED[0], STREAMED[2], WHOLE[0]], ids=str)
@pytest.mark.parametrize("scenario", ["completed", "overloaded_error_mid_stream", "http_529"])
@pytest.mark.parametrize("platform", SSE)
def test_the_application_sees_what_it_sees_without_the_package(
    same: Callable[[str, str, Way], Seen], platform: str, scenario: str, way: Way
) -> None:
    same(platform, scenario, way)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_provider_is_called_what_the_sdk_itself_calls_it(
    server: FaultServer, platform: str, is_async: bool
) -> None:
    client = make_client(platform, server, "completed", "", is_async=is_async)
    if not hasattr(client, "_gen_ai_provider_name"):
        pytest.skip("this version of the SDK has no name for it")
    assert PLATFORMS[platform].provider == client._gen_ai_provider_name


@pytest.mark.parametrize("platform", ADDRESSES)
def test_the_server_is_the_platform_s_own_when_the_application_names_none(
    server: FaultServer, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    address, more = ADDRESSES[platform]
    # A proxy that nobody listens at: the request is lost on this machine.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with telemetry.instrumented():
        client = make_client(platform, server, "completed", "", base_url=None, **more)
        with pytest.raises(anthropic.APIConnectionError), client:
            client.messages.create(**REQUEST)
    (span,) = telemetry.spans
    assert (address, 443) == (span.attributes["server.address"], span.attributes["server.port"])


# --- the model ---

_PATHS = {
    "bedrock": "/model/anthropic.claude-test-v1%3A0/invoke-with-response-stream",
    "vertex": "/projects/project/locations/us-east5/publishers/anthropic/models/claude-test@20260101:streamRawPredict",
}
_MODELS = {"bedrock": "anthropic.claude-test-v1:0", "vertex": "claude-test@20260101"}
_BODY = {name: value for name, value in REQUEST.items() if name != "model"}


@pytest.mark.parametrize("platform", _PATHS)
def test_the_model_is_the_one_in_the_url_where_the_body_has_none(
    server: FaultServer, telemetry: Telemetry, platform: str
) -> None:
    with telemetry.instrumented():
        client = make_client(platform, server, "completed", "url")
        stream = client.post(
            _PATHS[platform],
            cast_to=RawMessageStreamEvent,
            body={**_BODY, "anthropic_version": f"{platform}-2023-05-31"},
            stream=True,
            stream_cls=anthropic.Stream[RawMessageStreamEvent],
        )
        assert "message_stop" == list(stream)[-1].type
    (span,) = telemetry.spans
    recorded = described(span)
    assert _MODELS[platform] == recorded["gen_ai.request.model"]
    assert f"chat {_MODELS[platform]}" == recorded["name"]
    assert "completed" == recorded["after200.outcome"]


def test_the_async_twin_takes_the_model_from_the_url_too(server: FaultServer, telemetry: Telemetry) -> None:
    async def main() -> None:
        async with make_client("vertex", server, "overloaded_error_mid_stream", "url", is_async=True) as client:
            stream = await client.post(
                _PATHS["vertex"],
                cast_to=RawMessageStreamEvent,
                body={**_BODY, "anthropic_version": "vertex-2023-10-16"},
                stream=True,
                stream_cls=anthropic.AsyncStream[RawMessageStreamEvent],
            )
            async for _ in stream:
                pass

    with telemetry.instrumented(), pytest.raises(anthropic.APIStatusError):
        asyncio.run(main())
    wanted = {"gen_ai.request.model": _MODELS["vertex"], "error.type": "overloaded_error"}
    assert 1 == telemetry.total("after200.calls", wanted)
