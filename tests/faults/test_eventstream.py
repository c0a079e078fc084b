# SPDX-License-Identifier: Apache-2.0
"""The frames, checked against published bytes and against botocore's own parser and service model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from after200.faults import SCENARIOS, FaultServer
from after200.faults.catalog.error_types import BEDROCK_EXCEPTIONS
from after200.faults.eventstream import encode_chunk, encode_frame

from .clients import ASKED, post

EMPTY = bytes.fromhex("00000010 00000000 05c248eb 7d98c8ff")
"""The empty message of the event-stream specification's own test suite."""


def test_the_empty_frame_is_the_published_one() -> None:
    assert encode_frame({}, b"") == EMPTY


@pytest.fixture(scope="module")
def botocore() -> Any:
    module = pytest.importorskip("botocore", reason="checks the frames with botocore's own parser: install botocore")
    pytest.importorskip("botocore.eventstream", reason="checks the frames with botocore's own parser: install botocore")
    return module


def frames(data: bytes) -> list[Any]:
    from botocore.eventstream import EventStreamBuffer

    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


TEXT = st.text(max_size=40)
NAMES = st.text(min_size=1, max_size=40)


@given(headers=st.dictionaries(NAMES, TEXT, max_size=5), payload=st.binary(max_size=200))
def test_botocore_reads_back_what_was_written(botocore: Any, headers: dict[str, str], payload: bytes) -> None:
    (frame,) = frames(encode_frame(headers, payload))
    assert (frame.headers, frame.payload) == (headers, payload)


def parsed(botocore: Any, data: bytes) -> list[tuple[int, dict[str, Any]]]:
    """Status and parsed content of each frame, by the `ResponseStream` shape of the service model."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.parsers import EventStreamJSONParser

    model = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
    shape = model.shape_for("ResponseStream")
    responses = [frame.to_response_dict() for frame in frames(data)]
    return [(response["status_code"], EventStreamJSONParser().parse(response, shape)) for response in responses]


def test_a_chunk_is_one_of_the_service_model(botocore: Any) -> None:
    ((status, content),) = parsed(botocore, encode_chunk(b'{"type":"ping"}'))
    assert (status, content["chunk"]) == (200, {"bytes": b'{"type":"ping"}'})


def streamed(server: FaultServer, scenario: str) -> bytes:
    path = f"/{scenario}/model/anthropic.claude-v2%3A1/invoke-with-response-stream"
    status, headers, body = post(server, path, {key: value for key, value in ASKED.items() if key != "model"})
    assert (status, headers["content-type"]) == (200, "application/vnd.amazon.eventstream")
    assert server.log[-1].model == "anthropic.claude-v2:1"
    return body


def events(content: list[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [json.loads(parsed_frame["chunk"]["bytes"]) for status, parsed_frame in content if status == 200]


NAMES_SENT = ["message_start", "content_block_start", *["content_block_delta"] * 4]


def test_a_completed_stream_is_the_same_events_in_frames(server: FaultServer, botocore: Any) -> None:
    sent = events(parsed(botocore, streamed(server, "completed")))
    assert [event["type"] for event in sent] == [*NAMES_SENT, "content_block_stop", "message_delta", "message_stop"]
    assert sent[0]["message"]["model"] == "anthropic.claude-v2:1"
    metrics = sent[-1]["amazon-bedrock-invocationMetrics"]
    assert (metrics["inputTokenCount"], metrics["outputTokenCount"]) == (12, 7)


MODELLED = [
    "internalServerException",
    "modelStreamErrorException",
    "modelTimeoutException",
    "serviceUnavailableException",
    "throttlingException",
    "validationException",
]


@pytest.mark.parametrize("place", ["first", "mid"])
@pytest.mark.parametrize("name", BEDROCK_EXCEPTIONS)
def test_an_exception_frame_is_one_of_the_service_model(
    server: FaultServer, botocore: Any, name: str, place: str
) -> None:
    content = parsed(botocore, streamed(server, f"bedrock_{name}_{place}"))
    status, last = content.pop()
    assert [event["type"] for event in events(content)] == (NAMES_SENT if place == "mid" else [])
    assert status == 400
    if name in MODELLED:
        assert last["Error"] == {"Code": name, "Message": BEDROCK_EXCEPTIONS[name][1]}
    assert (server.log[-1].failure, server.log[-1].events_sent[-1]) == (name, name)


def test_every_exception_of_the_service_model_has_a_scenario(botocore: Any) -> None:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    model = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
    members = [name for name in model.shape_for("ResponseStream").members if name != "chunk"]
    assert sorted(members) == MODELLED
    statuses = {name: model.shape_for("ResponseStream").members[name].metadata for name in members}
    assert {name: BEDROCK_EXCEPTIONS[name][0] for name in members} == {
        name: metadata["error"]["httpStatusCode"] for name, metadata in statuses.items()
    }
    errors = model.operation_model("InvokeModelWithResponseStream").error_shapes
    documented = {shape.name[0].lower() + shape.name[1:]: shape.metadata["error"]["httpStatusCode"] for shape in errors}
    assert documented.items() <= {name: status for name, (status, _) in BEDROCK_EXCEPTIONS.items()}.items()


@pytest.mark.parametrize(("stem", "original"), [("", 500), ("_overloaded", 529)])
def test_a_stream_error_carries_its_original_status(
    server: FaultServer, botocore: Any, stem: str, original: int
) -> None:
    last = frames(streamed(server, f"bedrock_modelStreamErrorException{stem}_mid"))[-1]
    assert last.headers[":exception-type"] == "modelStreamErrorException"
    assert json.loads(last.payload)["originalStatusCode"] == original


def test_an_error_frame_says_it_in_its_headers(server: FaultServer, botocore: Any) -> None:
    last = frames(streamed(server, "bedrock_error_frame"))[-1]
    assert last.headers == {
        ":message-type": "error",
        ":error-code": "throttlingException",
        ":error-message": "Too many tokens, please wait before trying again.",
    }
    assert last.payload == b""


@pytest.mark.parametrize(
    ("scenario", "last"),
    [
        ("bedrock_chunk_error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        ("bedrock_chunk_rate_limit_first", {"type": "rate_limit_error", "message": "Number of requests exceeded"}),
        ("bedrock_chunk_rate_limit_mid", {"type": "rate_limit_error", "message": "Number of requests exceeded"}),
        ("bedrock_chunk_without_type", {"message": "Too many connections"}),
    ],
)
def test_an_error_inside_an_ordinary_chunk(
    server: FaultServer, botocore: Any, scenario: str, last: dict[str, Any]
) -> None:
    sent = events(parsed(botocore, streamed(server, scenario)))
    sent[-1].pop("request_id", None)
    assert sent[-1] == last
    assert [event["type"] for event in sent[:-1]] == ([] if scenario.endswith("first") else NAMES_SENT)


def test_a_frame_with_a_broken_crc(server: FaultServer, botocore: Any) -> None:
    from botocore.eventstream import ChecksumMismatch

    with pytest.raises(ChecksumMismatch):
        frames(streamed(server, "bedrock_bad_crc"))


def test_a_truncated_frame(server: FaultServer, botocore: Any) -> None:
    body = streamed(server, "bedrock_truncated_frame")
    whole = frames(body)
    assert len(whole) == len(NAMES_SENT)
    assert sum(frame.prelude.total_length for frame in whole) < len(body)


HTTP = [(name, scenario) for name, scenario in SCENARIOS.items() if name.startswith("bedrock_http_")]


@pytest.mark.parametrize("scenario", [name for name, _ in HTTP])
def test_an_http_error_is_named_in_a_header(server: FaultServer, scenario: str) -> None:
    status, headers, body = post(server, f"/{scenario}/model/m/invoke-with-response-stream")
    error_type, colon, _ = headers["x-amzn-errortype"].partition(":")
    assert scenario.startswith(f"bedrock_http_{status}")
    assert (error_type[0].isupper(), colon) == (True, ":")
    assert list(json.loads(body)) == ["message"]
    assert server.log[-1].failure == error_type
    assert headers["x-amzn-requestid"]
