# SPDX-License-Identifier: Apache-2.0
"""An entry of the fault server's log, for tests that change what matters to them."""

from __future__ import annotations

from after200.faults.log import Served

WHOLE_STREAM = ("message_start", "content_block_delta", "message_stop")
COMPLETED = Served(
    scenario="completed",
    key="",
    method="POST",
    path="/v1/messages",
    wire="anthropic",
    api="messages",
    model="claude-sonnet-4-5",
    request_id="req_1",
    streaming=True,
    attempt=0,
    wire_status=200,
    events_sent=WHOLE_STREAM,
    finished="end",
    failure=None,
    started=0.0,
    ended=1.0,
)
