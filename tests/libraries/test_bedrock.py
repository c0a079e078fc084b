# SPDX-License-Identifier: Apache-2.0
"""Claude on Amazon Bedrock through boto3: all four operations, and the same requests through httpx."""

from __future__ import annotations

import itertools
import json
from typing import Any

import botocore
import botocore.exceptions
import botocore.session
import httpx
import pytest
from botocore.config import Config
from packaging.version import Version

from after200.faults import FaultServer

from ..support.telemetry import Telemetry
from .calling import recorded

MODEL = "anthropic.claude-sonnet-4-20250514-v1:0"
MESSAGES = [{"role": "user", "content": [{"text": "Say hello."}]}]
BODY = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": []})
_keys = itertools.count()


def client(server: FaultServer, scenario: str, **config: Any) -> Any:
    session = botocore.session.Session()
    session.set_credentials("none", "none")
    return session.create_client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url=server.base_url(scenario, str(next(_keys))),
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def converse(bedrock: Any) -> None:
    bedrock.converse(modelId=MODEL, messages=MESSAGES)


def converse_stream(bedrock: Any) -> None:
    list(bedrock.converse_stream(modelId=MODEL, messages=MESSAGES)["stream"])


def invoke(bedrock: Any) -> None:
    bedrock.invoke_model(modelId=MODEL, body=BODY)["body"].read()


def invoke_lines(bedrock: Any) -> None:
    list(bedrock.invoke_model(modelId=MODEL, body=BODY)["body"].iter_lines())


def invoke_stream(bedrock: Any) -> None:
    list(bedrock.invoke_model_with_response_stream(modelId=MODEL, body=BODY)["body"])


HAS_CONVERSE = Version(botocore.__version__) >= Version("1.34.116")
CONVERSES = (converse, converse_stream)
WHOLE, STREAMS = (converse, invoke, invoke_lines), (converse_stream, invoke_stream)


def play(operation: Any, bedrock: Any) -> str | None:
    """Calls `operation`, and returns what it raised, as text."""
    try:
        operation(bedrock)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, Exception) as error:
        return f"{type(error).__name__}: {error}"
    return None


def facts(telemetry: Telemetry) -> list[tuple[Any, ...]]:
    return [
        (
            call.outcome,
            call.phase,
            call.error_type,
            call.status,
            call.attributes.get("after200.answer"),
            call.attributes.get("gen_ai.usage.output_tokens"),
        )
        for call in telemetry.calls
    ]


THROTTLED = "throttlingException"


@pytest.mark.parametrize(
    ("scenario", "operation", "expected"),
    [
        *(("completed", operation, ("completed", None, None, 200, "complete", 7)) for operation in (*WHOLE, *STREAMS)),
        ("max_tokens", converse, ("completed", None, None, 200, "cut", 7)),
        ("refusal", converse_stream, ("completed", None, None, 200, "refused", 7)),
        *(
            (f"bedrock_{THROTTLED}_mid", operation, ("failed", "mid_stream", THROTTLED, 429, None, None))
            for operation in STREAMS
        ),
        *(
            (f"bedrock_{THROTTLED}_first", operation, ("failed", "first_chunk", THROTTLED, 429, None, None))
            for operation in STREAMS
        ),
        *(
            (
                f"bedrock_{THROTTLED}_first",
                operation,
                ("failed", "request", "ThrottlingException", 429, None, None),
            )
            for operation in WHOLE
        ),
        *(
            ("end_without_message_stop", operation, ("truncated", "mid_stream", "stream_truncated", None, None, None))
            for operation in STREAMS
        ),
        *(
            ("reset_mid_stream", operation, ("failed", "mid_stream", "connection_error", None, None, None))
            for operation in STREAMS
        ),
        ("reset_before_response", converse, ("failed", "request", "connection_error", None, None, None)),
        ("stall_mid_stream", converse_stream, ("failed", "mid_stream", "client_timeout_error", None, None, None)),
        ("stall_before_response", invoke, ("failed", "request", "client_timeout_error", None, None, None)),
    ],
)
def test_a_call_through_botocore_is_recorded_as_what_it_was_and_the_application_sees_no_difference(
    scenario: str, operation: Any, expected: tuple[Any, ...], server: FaultServer, telemetry: Telemetry
) -> None:
    if operation in CONVERSES and not HAS_CONVERSE:
        pytest.skip("this version of botocore has no Converse")
    config = {"read_timeout": 0.3} if "stall" in scenario else {}
    bare = play(operation, client(server, scenario, **config))
    with recorded(telemetry):
        seen = play(operation, client(server, scenario, **config))
    without_ids = [None if text is None else text.split("http")[0] for text in (bare, seen)]
    assert without_ids[0] == without_ids[1]
    assert [expected] == facts(telemetry)
    [call] = telemetry.calls
    assert ("aws.bedrock", MODEL, "botocore") == (
        call.attributes["gen_ai.provider.name"],
        call.model,
        call.attributes["after200.client"],
    )
    assert [] == telemetry.open_spans


@pytest.mark.parametrize("operation", ["converse-stream", "invoke-with-response-stream"])
def test_frames_are_read_through_any_library(operation: str, server: FaultServer, telemetry: Telemetry) -> None:
    url = f"{server.base_url('completed')}/model/{MODEL}/{operation}"
    with recorded(telemetry), httpx.stream("POST", url, json={"messages": MESSAGES}) as response:
        for _ in response.iter_bytes(1):
            pass
    assert [("completed", None, None, 200, "complete", 7)] == facts(telemetry)


def test_an_event_stream_that_is_left_is_closed(server: FaultServer, telemetry: Telemetry) -> None:
    with recorded(telemetry):
        bedrock = client(server, "stall_mid_stream")
        stream = bedrock.invoke_model_with_response_stream(modelId=MODEL, body=BODY)["body"]
        next(iter(stream))
        stream.close()
    assert [("closed", None, None, 200, None, None)] == facts(telemetry)
