# SPDX-License-Identifier: Apache-2.0
"""Calls through each framework that records metrics by itself: `python -m tests.neighbours.frameworks`.

Runs in the environment of a framework, in which nothing of this project is installed. In comes a task as JSON on
standard input: a URL and some runs, each a list of steps. Out goes for each run, which is a process of its own, what
each scope recorded, and what after200 said.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from .forking import in_fork

MODEL = "claude-test"
QUESTION = "Say hello."


def pydantic_ai(url: str) -> None:
    """One whole and one streamed call by an agent, with its instrumentation on."""
    from anthropic import AsyncAnthropic
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    async def run() -> None:
        client = AsyncAnthropic(base_url=url, api_key="none", max_retries=0)
        model = AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=client))
        Agent.instrument_all()
        agent = Agent(model)
        await agent.run(QUESTION)
        async with agent.run_stream(QUESTION) as answer:
            async for _ in answer.stream_text():
                pass

    asyncio.run(run())


def google_adk(url: str) -> None:
    """One whole and one streamed call by an agent."""
    from anthropic import AsyncAnthropic
    from google.adk.agents import LlmAgent
    from google.adk.agents.run_config import RunConfig, StreamingMode
    from google.adk.models.anthropic_llm import AnthropicLlm
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    class Claude(AnthropicLlm):  # type: ignore[misc]
        """Claude at the URL of the fault server."""

        @property
        def _anthropic_client(self) -> AsyncAnthropic:
            return AsyncAnthropic(base_url=url, api_key="none", max_retries=0)

    async def run() -> None:
        runner = InMemoryRunner(agent=LlmAgent(name="helper", model=Claude(model=MODEL)), app_name="app")
        message = types.Content(role="user", parts=[types.Part(text=QUESTION)])
        for mode in (StreamingMode.NONE, StreamingMode.SSE):
            session = await runner.session_service.create_session(app_name="app", user_id="reader")
            asked = {"user_id": "reader", "session_id": session.id, "new_message": message}
            async for _ in runner.run_async(**asked, run_config=RunConfig(streaming_mode=mode)):
                pass

    asyncio.run(run())


def agent_framework(url: str) -> None:
    """One whole and one streamed call by an agent, with its observability on."""
    from agent_framework import Agent
    from agent_framework.anthropic import AnthropicClient
    from agent_framework.observability import enable_instrumentation
    from anthropic import AsyncAnthropic

    async def run() -> None:
        enable_instrumentation()
        client = AsyncAnthropic(base_url=url, api_key="none", max_retries=0)
        agent = Agent(client=AnthropicClient(model=MODEL, anthropic_client=client))
        await agent.run(QUESTION)
        async for _ in agent.run(QUESTION, stream=True):
            pass

    asyncio.run(run())


def langchain(url: str) -> None:
    """One whole and one streamed call by a chat model; OpenLLMetry's packages for it and for the SDK are active."""
    from langchain_anthropic import ChatAnthropic
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
    from opentelemetry.instrumentation.langchain import LangchainInstrumentor

    AnthropicInstrumentor().instrument()
    LangchainInstrumentor().instrument()
    model = ChatAnthropic(model=MODEL, base_url=url, api_key="none", max_retries=0)
    model.invoke(QUESTION)
    for _ in model.stream(QUESTION):
        pass


CALLS: dict[str, Callable[[str], None]] = {
    function.__name__: function for function in (pydantic_ai, google_adk, agent_framework, langchain)
}


def direct(url: str) -> None:
    """One streamed call that goes past the framework."""
    import anthropic

    client = anthropic.Anthropic(base_url=url, api_key="none", max_retries=0)
    question: Any = {"role": "user", "content": QUESTION}
    for _ in client.messages.create(model="claude-direct", max_tokens=16, messages=[question], stream=True):
        pass


class Said(logging.Handler):
    """What the logger of after200 says."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def recorded(reader: InMemoryMetricReader) -> dict[str, dict[str, int]]:
    """Scope → metric of `gen_ai.client.*` → how many values; of `after200.calls`, the calls."""
    found: dict[str, Counter[str]] = {}
    data = reader.get_metrics_data()
    for resource in data.resource_metrics if data is not None else ():
        for scope in resource.scope_metrics:
            counts = found.setdefault(scope.scope.name, Counter())
            for metric in scope.metrics:
                if metric.name.startswith("gen_ai.client.") or metric.name == "after200.calls":
                    for point in metric.data.data_points:
                        counts[metric.name] += int(point.count if hasattr(point, "count") else point.value)
    return {scope: dict(counts) for scope, counts in found.items() if counts}


def after200(url: str) -> None:
    """Activates after200."""
    from after200 import AnthropicInstrumentor

    AnthropicInstrumentor().instrument(skip_dep_check=True)


def span_between(url: str) -> None:
    """From here on, a span of the application's stands between whoever uses the SDK and the request."""
    import anthropic

    tracer = trace.get_tracer("application")
    post, apost = anthropic.Anthropic.post, anthropic.AsyncAnthropic.post

    def between(self: Any, *args: Any, **kwargs: Any) -> Any:
        with tracer.start_as_current_span("ask"):
            return post(self, *args, **kwargs)

    async def abetween(self: Any, *args: Any, **kwargs: Any) -> Any:
        with tracer.start_as_current_span("ask"):
            return await apost(self, *args, **kwargs)

    anthropic.Anthropic.post = between  # type: ignore[method-assign]
    anthropic.AsyncAnthropic.post = abetween  # type: ignore[method-assign]


IMPORTS = {
    "pydantic_ai": ("anthropic", "pydantic_ai", "pydantic_ai.models.anthropic"),
    "google_adk": ("anthropic", "google.adk.agents", "google.adk.models.anthropic_llm", "google.adk.runners"),
    "agent_framework": ("anthropic", "agent_framework.anthropic", "agent_framework.observability"),
    "langchain": ("anthropic", "langchain_anthropic"),
}
"""What takes long to import and activates nothing, by framework."""

STEPS = CALLS | {"after200": after200, "direct": direct, "span_between": span_between}


def run(steps: list[str], url: str) -> dict[str, Any]:
    """Takes the steps in their order; returns what was recorded and said."""
    reader, said = InMemoryMetricReader(), Said()
    logging.getLogger("after200").addHandler(said)
    trace.set_tracer_provider(TracerProvider())
    metrics.set_meter_provider(MeterProvider([reader]))
    for step in steps:
        STEPS[step](url)
    return {"recorded": recorded(reader), "said": said.lines}


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr)
    task = json.load(sys.stdin)
    for module in IMPORTS[task["framework"]]:
        importlib.import_module(module)
    gc.freeze()  # What the imports left behind is not to be gone through at each collection.
    print(json.dumps([in_fork(run, steps, task["url"]) for steps in task["runs"]]))
