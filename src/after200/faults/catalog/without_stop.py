# SPDX-License-Identifier: Apache-2.0
"""The body ends properly and the stream does not: no `message_stop`, or bytes that cannot be decoded."""

from __future__ import annotations

from ..scenarios import BROKEN_BODY, CLOSED, MID_STREAM, OPENED, Scenario, scenario
from ..steps import PING, Answer, End, Event, Status

TITLE = "Streams that end without message_stop, and bytes that cannot be decoded"
_NOT_JSON = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_de'
_NOT_UTF8 = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xff\xfe\xfa"}}'

SCENARIOS: tuple[Scenario, ...] = (
    scenario("end_before_first_event", "the body ends before any event", (Status(), End()), (Answer(200, b""),)),
    scenario("end_before_content", "the body ends after message_start", (*OPENED, End()), BROKEN_BODY),
    scenario("end_without_message_stop", "the body ends after some content", (*MID_STREAM, End()), BROKEN_BODY),
    scenario("end_after_message_delta", "the body ends after message_delta", (*CLOSED, End()), BROKEN_BODY),
    scenario("ping_only_then_end", "two pings, then the body ends", (Status(), PING, PING, End()), (Answer(200, b""),)),
    scenario(
        "not_json_mid_stream",
        "an event whose data is not JSON",
        (*MID_STREAM, Event("content_block_delta", _NOT_JSON), End()),
        BROKEN_BODY,
    ),
    scenario(
        "not_utf8_mid_stream",
        "an event whose data is not UTF-8",
        (*MID_STREAM, Event("content_block_delta", _NOT_UTF8), End()),
        (Answer(200, _NOT_UTF8),),
    ),
)
