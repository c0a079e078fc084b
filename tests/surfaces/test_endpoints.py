# SPDX-License-Identifier: Apache-2.0
"""Every method of the installed SDK that streams is recorded, and a stream that is not is named in a warning."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import anthropic
import pytest

from after200.hooks.sdk import endpoints
from after200.hooks.sdk.endpoints import find_endpoint, shape_of

from ..support.telemetry import Telemetry
from .needs import Connect

RESOURCES = Path(anthropic.__file__).parent / "resources"
TOLD_BY_THE_SERVER = {"batch.results_url": "/v1/messages/batches/{id}/results"}
"""Paths that the SDK takes from an earlier answer, as its source has them → what the server says."""


def streaming_requests(source: str) -> Iterator[tuple[str, str]]:
    """The method and the path of each request in `source`, a module of the SDK's resources, that can stream."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        stream = keywords.get("stream", ast.Constant(False))
        if node.func.attr in ("_get", "_post") and not (isinstance(stream, ast.Constant) and not stream.value):
            yield node.func.attr[1:], path_of(node.args[0] if node.args else keywords["path"])


def path_of(node: ast.expr | None) -> str:
    """The path that an expression stands for, with `{id}` for what is filled in."""
    if isinstance(node, ast.Call):  # path_template("/v1/sessions/{session_id}", session_id=session_id)
        return path_of(node.args[0])
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{id}" for part in node.values)
    text = str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node or ast.Constant(""))
    return TOLD_BY_THE_SERVER.get(text, text)


@cache
def streaming() -> set[tuple[str, str]]:
    """Every request of the installed SDK that can stream."""
    found = {request for file in RESOURCES.rglob("*.py") for request in streaming_requests(file.read_text("utf-8"))}
    return {(method, path.partition("?")[0]) for method, path in found}


def unrecorded() -> set[tuple[str, str]]:
    """Every request of the installed SDK that can stream and is no call."""
    return {(method, path) for method, path in streaming() if find_endpoint(method, path) is None}


def test_every_method_of_the_sdk_that_streams_is_a_call() -> None:
    assert set() == unrecorded()


def test_a_method_that_no_row_of_the_table_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ("post", "/v1/messages") in streaming()
    for row in endpoints._ENDPOINTS:
        monkeypatch.setattr(endpoints, "_ENDPOINTS", tuple(kept for kept in endpoints._ENDPOINTS if kept is not row))
        find_endpoint.cache_clear()
        named = unrecorded()
        monkeypatch.undo()
        find_endpoint.cache_clear()
        of_the_row = {each for each in streaming() if each[0] == row.method and row.pattern.search(each[1])}
        assert of_the_row == named


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/v1/messages/relay?beta=true", "/v1/messages/relay"),
        ("/v1/relays/relay_011CZkZE4kyBnW/stream", "/v1/relays/{id}/stream"),
        ("https://example.com/v1/relays/1234567/stream", "/v1/relays/{id}/stream"),
        ("/v2/messages", "/v2/messages"),
    ],
)
def test_a_path_is_named_without_the_ids_in_it(url: str, expected: str) -> None:
    assert expected == shape_of(url)


def relay(client: Any, **options: Any) -> None:
    """Calls a method that a future SDK may have."""
    with suppress(anthropic.APIStatusError):
        client.post("/v1/messages/relay", cast_to=object, body={}, **options)


def test_a_stream_that_is_not_recorded_is_named_in_one_warning(
    connect: Connect, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    with telemetry.instrumented(), connect("completed", max_retries=0) as client:
        relay(client)
        assert [] == caplog.messages
        for _ in range(2):
            relay(client, stream=True, stream_cls=anthropic.Stream[object])
    assert [
        f"after200 does not record POST /v1/messages/relay, which streams, of anthropic {anthropic.__version__}: "
        "whether it fails after the 200 is in no span and no metric."
    ] == caplog.messages
    assert [] == telemetry.spans
