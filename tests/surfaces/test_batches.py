# SPDX-License-Identifier: Apache-2.0
"""The results of a batch, one JSON document per line: entries that failed are counted, a cut body is truncated."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import pytest

from after200.faults import FaultServer

from ..support.telemetry import Telemetry, series
from .expected import inner_errors, outcome, recorded, span
from .needs import Connect, needs

pytestmark = needs("messages.batches")

BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
RESULTS = ["succeeded", "errored", "errored", "canceled", "expired", "succeeded"]


def read(client: Any, *, is_async: bool, beta: bool = False) -> list[str]:
    """The types of the results that the application gets, and the class of what is raised."""
    seen: list[str] = []
    batches = (client.beta.messages if beta else client.messages).batches

    async def main() -> None:
        async with client:
            async for entry in await batches.results("msgbatch_01"):
                seen.append(entry.result.type)

    try:
        if is_async:
            asyncio.run(main())
        else:
            with client:
                for entry in batches.results("msgbatch_01"):
                    seen.append(entry.result.type)
    except Exception as error:
        seen.append(type(error).__name__)
    return seen


def inner(error_type: str, failure: str, status: int) -> str:
    """The series of an entry that failed."""
    return series(
        "after200.inner_errors",
        {
            "gen_ai.operation.name": "batch_results",
            "gen_ai.provider.name": "anthropic",
            "error.type": error_type,
            "after200.failure": failure,
            "http.response.status_code": status,
        },
    )


ERRORED = {inner("invalid_request_error", "invalid_request", 400): 1, inner("api_error", "server_error", 500): 1}


@BOTH
@pytest.mark.parametrize("beta", [False, True], ids=["messages", "beta"])
def test_each_entry_that_failed_is_counted_by_its_error_type(
    connect: Connect, server: FaultServer, telemetry: Telemetry, is_async: bool, beta: bool
) -> None:
    with telemetry.instrumented():
        assert RESULTS == read(connect("batch_results", is_async=is_async), is_async=is_async, beta=beta)
    completed = {"after200__outcome": "completed", "after200__stream__chunks": 0}
    assert [span(server, "batch_results", **completed)] == recorded(telemetry)
    assert ERRORED == inner_errors(telemetry)


@BOTH
def test_a_body_that_is_cut_in_a_line_is_truncated(
    connect: Connect, server: FaultServer, telemetry: Telemetry, is_async: bool
) -> None:
    without = read(connect("batch_results_cut", is_async=is_async), is_async=is_async)
    with telemetry.instrumented():
        seen = read(connect("batch_results_cut", is_async=is_async), is_async=is_async)
    assert without == seen
    truncated = {
        "description": "The stream ended before its end event.",
        "error__type": "stream_truncated",
        "after200__outcome": "truncated",
        "after200__phase": "first_chunk",
        "after200__failure": "truncated",
        "after200__retryable": True,
        "after200__stream__chunks": 0,
    }
    assert [span(server, "batch_results", **truncated)] == recorded(telemetry)
    assert ERRORED == inner_errors(telemetry)


def test_results_that_are_left_are_closed(connect: Connect, telemetry: Telemetry) -> None:
    with telemetry.instrumented(), connect("batch_results") as client:
        results = client.messages.batches.results("msgbatch_01")
        assert "succeeded" == next(results).result.type
        if results.http_response.is_closed:
            pytest.skip("this version of the SDK has no results that are read bit by bit, but by 4 KiB")
        results.http_response.close()
    assert {"closed": 1} == outcome(telemetry)


@BOTH
def test_a_lost_connection_is_a_failure(connect: Connect, telemetry: Telemetry, is_async: bool) -> None:
    with telemetry.instrumented():
        read(connect("half_chunk", is_async=is_async), is_async=is_async)
    assert {"failed": 1} == outcome(telemetry)
    assert 1 == telemetry.total("after200.calls", {"error.type": "connection_error"})


def test_a_refusal_is_a_failed_call(connect: Connect, telemetry: Telemetry) -> None:
    with telemetry.instrumented(), connect("http_529") as client, pytest.raises(anthropic.APIStatusError):
        client.messages.batches.results("msgbatch_01")
    assert 1 == telemetry.total("after200.calls", {"error.type": "overloaded_error", "after200.phase": "request"})
