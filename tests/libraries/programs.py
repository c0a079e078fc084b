# SPDX-License-Identifier: Apache-2.0
"""Streamed calls by programs that stand on LiteLLM: `python -m tests.libraries.programs`.

Runs in an environment that has these programs, in which nothing of this project is installed. In comes a task as JSON
on standard input: the URL of each call of each program. Out goes for each what `after200.calls` has of its calls.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import after200

MODEL = "anthropic/claude-test"
QUESTION = "Say hello."
SCENARIOS = (
    "completed",
    "overloaded_error_mid_stream",
    "end_without_message_stop",
    "reset_mid_stream",
    "http_529",
    "refusal_cyber",
)
"""What the server does to a call of each program."""
NAMED = ("after200.client", "after200.outcome", "error.type", "http.response.status_code", "after200.wire.status_code")


def smolagents(url: str) -> None:
    """Reads the stream of a model, as an agent that streams does."""
    from smolagents import ChatMessage, LiteLLMModel, MessageRole

    model = LiteLLMModel(MODEL, api_base=url, api_key="none", num_retries=0)
    question = ChatMessage(role=MessageRole.USER, content=[{"type": "text", "text": QUESTION}])
    for _ in model.generate_stream([question]):
        pass


def openai_agents(url: str) -> None:
    """Runs an agent, and reads the stream of its events."""
    from agents import Agent, Runner, set_tracing_disabled
    from agents.extensions.models.litellm_model import LitellmModel

    async def run() -> None:
        set_tracing_disabled(True)
        agent = Agent(name="greeter", model=LitellmModel(MODEL, base_url=url, api_key="none"))
        async for _ in Runner.run_streamed(agent, QUESTION).stream_events():
            pass

    asyncio.run(run())


PROGRAMS: dict[str, Callable[[str], None]] = {each.__name__: each for each in (smolagents, openai_agents)}


def counted(reader: InMemoryMetricReader) -> Counter[tuple[Any, ...]]:
    """What `after200.calls` says: the attributes of `NAMED` → how many calls."""
    gc.collect()
    reader.collect()  # Collecting ends what the calls dropped.
    data = reader.get_metrics_data()
    found: Counter[tuple[Any, ...]] = Counter()
    for resource in data.resource_metrics if data is not None else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points if metric.name == "after200.calls" else ():
                    found[tuple(map(dict(point.attributes).get, NAMED))] += point.value
    return found


def main() -> None:
    """Makes the calls of the task."""
    task: dict[str, list[str]] = json.load(sys.stdin)
    logging.disable(logging.CRITICAL)
    reader = InMemoryMetricReader()
    after200.HTTPInstrumentor().instrument(meter_provider=MeterProvider([reader]))
    found, before = {}, counted(reader)
    for program, urls in task.items():
        for url in urls:
            try:
                PROGRAMS[program](url)
            except Exception:  # It is what the application has to deal with.
                continue
        now = counted(reader)
        found[program], before = [(*said, number) for said, number in (now - before).items()], now
    print(json.dumps(found))


if __name__ == "__main__":
    main()
