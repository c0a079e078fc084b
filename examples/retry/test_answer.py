# SPDX-License-Identifier: Apache-2.0
"""Does the retry help when the API is overloaded in the middle of an answer?"""

from __future__ import annotations

import pytest
from answer import answer


@pytest.fixture(autouse=True)
def overloaded_once(claude_faults, monkeypatch):
    """The API is overloaded in mid-stream, and answers when it is asked again."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", claude_faults.base_url("overloaded_mid_stream_then_completed"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")


def test_an_overload_in_mid_stream_is_tried_again(claude_faults, after200_telemetry):
    assert answer("What is entropy?") == "Hello from Claude."
    assert [served.failure for served in claude_faults.log] == ["overloaded_error", None]
    assert [(call.outcome, call.status) for call in after200_telemetry.calls] == [("failed", 529), ("completed", 200)]
