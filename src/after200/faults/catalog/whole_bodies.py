# SPDX-License-Identifier: Apache-2.0
"""Faults of an answer that is not streamed: HTTP 200, and the body is not what was asked for.

A streaming request gets the very same answer.
"""

from __future__ import annotations

from ..scenarios import Scenario, scenario
from ..steps import Answer, Cut, Reset, Whole
from ..wires import error_envelope

_PAGE = b"<html><body>One moment, please</body></html>\n"
_NOT_JSON = b'{"id":"msg_01","type":"message","role":"assistant","content":[{"type":"te'

SCENARIOS: tuple[Scenario, ...] = (
    scenario(
        "body_error_200",
        "HTTP 200 whose whole body is an overloaded_error",
        (Answer(200, error_envelope("overloaded_error", "Overloaded"), failure="overloaded_error"),),
    ),
    scenario("body_not_json_200", "HTTP 200 whose body breaks off: not JSON", (Answer(200, _NOT_JSON),)),
    scenario("body_html_200", "HTTP 200 with an HTML page", (Answer(200, _PAGE, {"content-type": "text/html"}),)),
    scenario("body_empty_200", "HTTP 200 with an empty body", (Answer(200, b""),)),
    scenario("body_cut", "HTTP 200, half of the announced body, then a reset", (Whole(only=0.5), Reset())),
    scenario(
        "body_short", "HTTP 200, half of the announced body, then the connection closes", (Whole(only=0.5), Cut())
    ),
)
