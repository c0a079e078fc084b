# SPDX-License-Identifier: Apache-2.0
"""A small application that does to streams what a chat service should not, and gets every kind of answer.

It cancels a stream, abandons one and closes one, reads the results of a batch, asks once for each of some answers, then
waits until its standard input is closed. An ordinary program,
run under `opentelemetry-instrument`; ANTHROPIC_BASE_URL is where the API is.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
from typing import Any

import anthropic

REQUEST: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello?"}],
}

ANSWERS = (
    "refusal_cyber",
    "max_tokens",
    "empty",
    "fallback",
    "web_search_failed",
    "cached_by_ttl",
    "compaction",
    "service_tier_priority",
    "http_529_retry_after_ms_then_completed",
    "enforced_spend_limit_reached_mid_stream",
)
"""The scenarios of the fault server that the application asks for."""
LEAVE_ONLY = "--leave-only"
"""An argument: ask for none of them."""


async def cancel_one(url: str) -> None:
    """Cancel the task that reads a stream which never ends."""
    async with anthropic.AsyncAnthropic(base_url=f"{url}/stall_mid_stream@cancelled") as client:
        began = asyncio.Event()

        async def read() -> None:
            async for event in await client.messages.create(**REQUEST, stream=True):
                if event.type == "content_block_delta":
                    began.set()

        task = asyncio.create_task(read())
        await began.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def abandon_one(client: anthropic.Anthropic) -> None:
    """Drop a stream in the middle."""
    stream = client.messages.create(**REQUEST, stream=True)
    next(iter(stream))
    del stream
    gc.collect()


def close_one(client: anthropic.Anthropic) -> None:
    """Leave a stream early, as one should."""
    with client.messages.create(**REQUEST, stream=True) as stream:
        next(iter(stream))


def main() -> None:
    url = os.environ["ANTHROPIC_BASE_URL"]
    asyncio.run(cancel_one(url))
    client = anthropic.Anthropic(base_url=f"{url}/long@left")
    abandon_one(client)
    close_one(client)
    batches = anthropic.Anthropic(base_url=f"{url}/batch_results@batch")
    for _ in batches.messages.batches.results("msgbatch_1"):
        pass
    for answer in () if LEAVE_ONLY in sys.argv else ANSWERS:
        with contextlib.suppress(anthropic.APIError):
            for _ in anthropic.Anthropic(base_url=f"{url}/{answer}@answers").messages.create(**REQUEST, stream=True):
                pass
    print("done", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
