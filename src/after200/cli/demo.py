# SPDX-License-Identifier: Apache-2.0
"""`after200 demo`: calls with a seeded mix of faults, and what each side saw of them.

A real chat service runs under `opentelemetry-instrument` against the fault server and exports to a receiver. Exit
status 0 when what was exported equals the fault server's log, 1 when it differs or the service fails, 2 for a wrong
option.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from after200 import names
from after200.cli import reconcile
from after200.cli.answered import read_answered
from after200.cli.arguments import whole_number
from after200.cli.chat import CLIENTS, ChatFailedError, retries_of, run_chat_service
from after200.cli.demo_result import Demo, as_json, show
from after200.cli.endings import ending_of
from after200.cli.otlp import Span
from after200.cli.receiver import Receiver
from after200.faults import FaultServer

MIX = {
    "overloaded": 0.05,
    "overloaded_error_first_event": 0.01,
    "error_unnamed": 0.01,
    "api_error": 0.02,
    "rate_limited": 0.015,
    "truncated": 0.02,
    "malformed": 0.005,
    "reset": 0.01,
    "cut": 0.005,
    "stall": 0.005,
    "http_429": 0.02,
    "http_529": 0.02,
    "http_529_always": 0.006,
    "http_400": 0.006,
    "slow": 0.05,
    "refusal_cyber": 0.02,
    "refusal_bio": 0.01,
    "max_tokens": 0.02,
    "web_search": 0.02,
    "web_search_failed": 0.015,
    "fallback": 0.015,
    "compaction": 0.01,
    "cached_by_ttl": 0.02,
    "retry_after": 0.01,
    "http_529_retry_after_ms_then_completed": 0.01,
}
"""Share of each scenario among the calls; the rest is answered as it should be."""

UNDECODABLE = ("malformed",)
"""Scenarios that make an application leave which decodes the events itself: what it has read is up to the network."""

RATE_LIMITS = {"requests": 650, "input_tokens": 2_000_000, "output_tokens": 40_000}
"""The limits of one minute that the answers name. They run down, and are not enforced."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo, show the result, and return the exit status."""
    options = parser().parse_args(argv)
    console = Console(stderr=options.json)
    try:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("calls", total=options.calls)
            demo = run(options.calls, options.seed, lambda: progress.advance(task), options.client)
    except ChatFailedError as failed:
        print(f"after200 demo: {failed}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(as_json(demo), indent=2))
    else:
        show(demo, console)
    return 1 if demo.differences else 0


def run(calls: int, seed: int, answered: Callable[[], None], client: str = "sdk") -> Demo:
    """Serve, call with `client`, receive and compare; `answered` is called after each call."""
    started, retries = time.monotonic(), retries_of(client)
    mix = {name: share for name, share in MIX.items() if client == "sdk" or name not in UNDECODABLE}
    with (
        FaultServer(mix=mix, seed=seed, rate_limits=RATE_LIMITS) as server,
        Receiver() as receiver,
    ):
        replies = []
        for reply in run_chat_service(server.base_url("mix"), receiver.url, calls, seed, client):
            replies.append(reply)
            answered()
        served = server.wait_idle()
    left = {reply["request_id"] for reply in replies if reply["result"] == "left"}
    recorded, said = reconcile.recorded_account(receiver), read_answered(receiver)
    return Demo(
        calls=calls,
        seed=seed,
        seconds=time.monotonic() - started,
        http=Counter(reconcile.seen_status(entry) for entry in served if not reconcile.was_retried(entry, retries)),
        recorded=recorded,
        answered=said,
        application=Counter(reply["result"] for reply in replies),
        span=hidden_failure(receiver.spans),
        differences=[
            *reconcile.differences(calls, reconcile.expected_account(served, left, retries), recorded),
            *reconcile.answer_differences(served, left, retries, said),
        ],
    )


def hidden_failure(spans: Sequence[Span]) -> Span | None:
    """A span to show: of a call that failed after the 200, best after some content and with a status to correct."""

    def interest(span: Span) -> tuple[bool, int]:
        return span.attributes.get(names.PHASE) == "mid_stream", ending_of(span.attributes).status or 0

    hidden = [span for span in spans if ending_of(span.attributes).is_hidden]
    return max(hidden, key=interest, default=None)


def parser() -> argparse.ArgumentParser:
    """The parser; it ends the program with status 2 and a line that says what is accepted when an option is wrong."""
    found = argparse.ArgumentParser(
        prog="after200 demo",
        description="Make calls that fail in every way a stream can, or complete without a usable answer, and show "
        "what HTTP says and what was true.",
    )
    found.add_argument(
        "--calls", type=whole_number(1, 100_000), default=500, help="how many calls to make (default: 500)"
    )
    found.add_argument(
        "--seed", type=whole_number(0, 2**32 - 1), default=7, help="the seed of the mix of faults (default: 7)"
    )
    words = "what the service makes its calls with: the SDK, or httpx or LiteLLM without it (default: sdk)"
    found.add_argument("--client", choices=CLIENTS, default="sdk", help=words)
    found.add_argument("--json", action="store_true", help="print the result as JSON")
    return found
