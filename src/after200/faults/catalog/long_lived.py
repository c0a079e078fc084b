# SPDX-License-Identifier: Apache-2.0
"""Streams that are no single answer: sessions of managed agents, which never end by themselves, and batch results."""

from __future__ import annotations

from functools import partial

from ..replies import Reply
from ..scenarios import COMPLETED, MID_STREAM, OPENED, Scenario, scenario
from ..steps import End, Event, Healthy, Play, Raw, Stall

TITLE = "Sessions of managed agents, and results of batches"
_sessions = partial(scenario, only="sessions")
_batches = partial(scenario, only="batches")
_GOES_ON: Play = (Healthy("text"), Healthy("close"))
_RESULTS = Reply(
    results=("succeeded", "errored:invalid_request_error", "errored:api_error", "canceled", "expired", "succeeded")
)
_HALF_LINE = Raw(b'{"custom_id":"request-5","result":{"type":"succeeded","message":{"id":"msg_')


def _session_error(error_type: str, message: str) -> Event:
    error = {"type": error_type, "message": message, "retry_status": {"type": "retrying"}}
    data = {"id": "sevt_error", "type": "session.error", "processed_at": "2026-01-01T00:00:00Z", "error": error}
    return Event("session.error", data, failure=error_type)


_OVERLOADED = _session_error("model_overloaded_error", "The model is overloaded")

SCENARIOS: tuple[Scenario, ...] = (
    _sessions("session_events", "some events, then nothing until the client leaves", (*OPENED, *_GOES_ON, Stall())),
    _sessions(
        "session_error",
        "a session.error (model_overloaded_error) inside, more events, then nothing until the client leaves",
        (*OPENED, _OVERLOADED, *_GOES_ON, Stall()),
    ),
    _sessions(
        "session_error_then_end",
        "a session.error (model_overloaded_error) inside, more events, then the end of the body",
        (*OPENED, _OVERLOADED, *_GOES_ON, End()),
    ),
    _sessions(
        "session_error_rate_limited",
        "a session.error (model_rate_limited_error) inside, more events, then the end of the body",
        (*OPENED, _session_error("model_rate_limited_error", "Rate limited"), *_GOES_ON, End()),
    ),
    _batches(
        "batch_results", "results of a batch: succeeded, errored twice, canceled, expired", COMPLETED, reply=_RESULTS
    ),
    _batches(
        "batch_results_cut",
        "results of a batch, the last line cut in the middle",
        (*MID_STREAM, _HALF_LINE, End()),
        reply=_RESULTS,
    ),
)
