# SPDX-License-Identifier: Apache-2.0
"""The example's chat service by itself, with no telemetry anywhere near it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from after200.cli.chat import find_chat_service
from after200.faults import FaultServer

from ..support.patience import PATIENCE_S


def chat(server: FaultServer, scenario: str, *options: str, asked: str = "") -> list[dict[str, Any]]:
    """Run the service against a scenario and return its replies in the order of the questions."""
    settings = {"ANTHROPIC_BASE_URL": server.base_url(scenario), "ANTHROPIC_API_KEY": "none", "NO_PROXY": "127.0.0.1"}
    finished = subprocess.run(
        [sys.executable, str(find_chat_service()), *options],
        env=os.environ | settings,
        input=asked,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    replies = [json.loads(line) for line in finished.stdout.splitlines()]
    return sorted(replies, key=lambda reply: int(reply["number"]))


def test_each_line_of_stdin_is_answered_to_its_end(server: FaultServer) -> None:
    replies = chat(server, "completed", asked=40 * "What is entropy?\n")
    to_its_end = len("Hello from Claude.")
    assert [(number, "answered", to_its_end) for number in range(1, 41)] == [
        (reply["number"], reply["result"], reply["characters"]) for reply in replies
    ]


def test_made_up_prompts_are_read_in_every_manner_and_some_are_left(server: FaultServer) -> None:
    replies = chat(server, "completed", "--calls=60", "--seed=7")
    assert {"events", "text", "thread", "whole"} == {reply["manner"] for reply in replies}
    assert {"answered", "left"} == {reply["result"] for reply in replies}
    assert len({reply["request_id"] for reply in replies}) == 60


def test_the_same_seed_asks_the_same(server: FaultServer) -> None:
    runs = [chat(server, "completed", "--calls=20", "--seed=3") for _ in range(2)]
    habits = [[(reply["manner"], reply["result"]) for reply in replies] for replies in runs]
    assert habits[0] == habits[1]


def test_a_failing_api_gives_failed_replies_and_no_traceback(server: FaultServer) -> None:
    replies = chat(server, "http_400", "--calls=4")
    assert [("failed", "BadRequestError", 400)] * 4 == [(r["result"], r["error"], r["status"]) for r in replies]
