# SPDX-License-Identifier: Apache-2.0
"""Calls through LiteLLM, and what LiteLLM's own telemetry says of each: `python -m tests.neighbours.through_litellm`.

Runs in an environment that has LiteLLM and the SDK, in which nothing of this project is installed. In comes a task as
JSON on standard input. For each call, out goes what the application got, what LiteLLM says, and what after200 recorded.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import anthropic
import httpx
import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig
from litellm.integrations.prometheus import PrometheusLogger
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

import after200

from ..support.patience import PATIENCE_S
from .frameworks import Said

MODEL = "anthropic/claude-test"
CROWD_MODEL = "claude-crowd"
CROWD_TIMEOUT_S = 600.0
"""No call of the crowd may time out: those that stall are left, or cancelled."""

QUESTION: list[Any] = [{"role": "user", "content": "Say hello."}]
OUTCOMES = {
    "litellm_deployment_success_responses_total": "success",
    "litellm_deployment_failure_responses_total": "failure",
}
"""The counters of LiteLLM's Prometheus callback that say how a call went → what they say."""


# --- the ways to make a call; each returns the reason that LiteLLM gives for the end of the answer ---


def completion(url: str) -> object:
    chunks = litellm.completion(MODEL, QUESTION, api_base=url, api_key="none", stream=True, num_retries=0)
    return [chunk.choices[0].finish_reason for chunk in chunks][-1]


async def acompletion(url: str, model: str = MODEL, **options: object) -> object:
    chunks = await litellm.acompletion(
        model, QUESTION, api_base=url, stream=True, num_retries=0, **(options or {"api_key": "none"})
    )
    return [chunk.choices[0].finish_reason async for chunk in chunks][-1]


async def messages(url: str) -> object:
    """What LiteLLM's proxy does for `/v1/messages`: the bytes are passed on as they are."""
    chunks: Any = await litellm.anthropic.messages.acreate(
        model=MODEL, messages=QUESTION, max_tokens=64, stream=True, api_base=url, api_key="none"
    )
    async for _ in chunks:
        pass
    return None


async def bedrock(url: str) -> object:
    keys = {f"aws_{name}": "none" for name in ("access_key_id", "secret_access_key")}
    return await acompletion(
        url, "bedrock/anthropic.claude-test-v1:0", aws_region_name="us-east-1", aws_bedrock_runtime_endpoint=url, **keys
    )


async def router(url: str) -> object:
    """A router whose first model fails before the stream, and whose second one answers."""
    options = {"model": MODEL, "api_key": "none", "num_retries": 0}
    models = [
        {"model_name": name, "litellm_params": {**options, "api_base": base}}
        for name, base in (("first", url), ("second", url.replace("http_529", "completed")))
    ]
    routed = litellm.Router(model_list=models, fallbacks=[{"first": ["second"]}], num_retries=0)
    chunks: Any = await routed.acompletion("first", QUESTION, stream=True)
    return [chunk.choices[0].finish_reason async for chunk in chunks][-1]


WAYS: dict[str, Callable[[str], Any]] = {
    each.__name__: each for each in (completion, acompletion, messages, bedrock, router)
}


REQUESTS = {"router": 2}
"""How many requests a way makes, if not one: LiteLLM's callbacks are called for each, some time after it."""


class Callback(CustomLogger):  # type: ignore[misc]
    """The last of LiteLLM's callbacks: when it is called, the others have been."""

    def __init__(self) -> None:
        super().__init__()
        self.called = threading.Semaphore(0)

    def log_success_event(self, *args: object, **kwargs: object) -> None:
        self.called.release()

    log_failure_event = log_success_event

    async def async_log_success_event(self, *args: object, **kwargs: object) -> None:
        self.called.release()

    async_log_failure_event = async_log_success_event


class Telemetry:
    """LiteLLM's own telemetry, and after200's."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        tracer_provider = TracerProvider()
        tracer_provider.add_span_processor(SimpleSpanProcessor(self.spans))
        trace.set_tracer_provider(tracer_provider)
        self._reader = InMemoryMetricReader()
        meter_provider = MeterProvider([self._reader])
        metrics.set_meter_provider(meter_provider)
        self.callback = Callback()
        config = OpenTelemetryConfig(exporter=self.spans, enable_metrics=True)
        own = OpenTelemetry(config, tracer_provider=tracer_provider, meter_provider=meter_provider)
        litellm.callbacks = [own, PrometheusLogger(), self.callback]
        self._counted = counted()

    def clear(self) -> None:
        """Forgets what was recorded."""
        self.callback.called = threading.Semaphore(0)
        self.spans.clear()
        self._counted = counted()

    def metrics(self) -> dict[str, list[str]]:
        """Scope → the metrics that have a point."""
        data = self._reader.get_metrics_data()
        return {
            scope.scope.name: [metric.name for metric in scope.metrics]
            for resource in (data.resource_metrics if data is not None else ())
            for scope in resource.scope_metrics
        }

    def calls(self) -> list[Any]:
        """The points of `after200.calls`."""
        data = self._reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data is not None else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == "after200.calls"
            for point in metric.data.data_points
        ]

    def recorded(self) -> dict[str, Any]:
        """What was recorded since."""
        self._reader.collect()  # Collecting ends what the call dropped.
        spans = self.spans.get_finished_spans()
        return {
            "span": [span_of_litellm(span) for span in spans if span.name == "litellm_request"],
            "counted": sorted((counted() - self._counted).elements()),
            "after200": [span_of_after200(span) for span in spans if is_ours(span)],
        }


def is_ours(span: ReadableSpan) -> bool:
    """Whether after200 made the span, or completed the one of the SDK."""
    return "after200.outcome" in (span.attributes or {})


def span_of_litellm(span: ReadableSpan) -> str:
    """The status, the type of the error, and the status code."""
    said = dict(span.attributes or {})
    return words(span.status.status_code.name, said.get("error.type"), said.get("http.response.status_code"))


def span_of_after200(span: ReadableSpan) -> str:
    """The outcome, the type of the error or the kind of answer, and the corrected status."""
    said = dict(span.attributes or {})
    kind = said.get("error.type", said.get("after200.answer"))
    library = said.get("after200.client", "the SDK")
    return words(library, said["after200.outcome"], kind, said.get("http.response.status_code"))


def counted() -> Counter[str]:
    """What LiteLLM's counters say: the outcome, with the status of a failure → how often."""
    found: Counter[str] = Counter()
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            if sample.name in OUTCOMES:
                found[words(OUTCOMES[sample.name], sample.labels.get("exception_status"))] += int(sample.value)
    return found


def words(*said: object) -> str:
    return ", ".join(str(each) for each in said if each is not None)


async def call(way: str, url: str, telemetry: Telemetry) -> dict[str, Any]:
    """Makes one call; returns what the application got and what was recorded."""
    telemetry.clear()
    try:
        made = WAYS[way](url)
        got = await made if asyncio.iscoroutine(made) else made
    except Exception as exception:
        got = words(type(exception).__name__, getattr(exception, "status_code", None))
    for _ in range(REQUESTS.get(way, 1)):
        await asyncio.to_thread(telemetry.callback.called.acquire, timeout=PATIENCE_S)
    gc.collect()
    return {"got": got, **telemetry.recorded()}


async def crowd(url: str, calls: int, telemetry: Telemetry, at_once: int = 200) -> list[list[Any]]:
    """Makes so many calls at once, by LiteLLM's chat, its messages and httpx in turn; every tenth is left or cancelled.

    Returns what `after200.calls` has of them: library, outcome, type of the error, both statuses, how many.
    """
    turn = asyncio.Semaphore(at_once)
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None), timeout=CROWD_TIMEOUT_S) as client:

        async def one(number: int) -> None:
            deed = {0: "leave", 10: "cancel"}.get(number % 20, "read")
            base = f"{url}/{'mix' if deed == 'read' else 'stall_mid_stream'}@{number}"
            async with turn:
                came = asyncio.Event()
                task = asyncio.ensure_future(read(number % 3, base, client, came, leaves=deed == "leave"))
                if deed == "cancel":
                    await asyncio.wait([task, asyncio.ensure_future(came.wait())], return_when=asyncio.FIRST_COMPLETED)
                    await asyncio.sleep(0)  # One turn more, in which it begins to wait for what never comes.
                    task.cancel()
                await asyncio.wait([task])
                task.cancelled() or task.exception()  # It is what the application has to deal with.

        await asyncio.gather(*map(one, range(calls)))
    gc.collect()
    points = [point for point in telemetry.calls() if point.attributes["gen_ai.request.model"] == CROWD_MODEL]
    status = ("http.response.status_code", "after200.wire.status_code")
    named = ("after200.client", "after200.outcome", "error.type", *status)
    return [[*map(dict(point.attributes).get, named), point.value] for point in points if point.value]


async def read(which: int, url: str, client: httpx.AsyncClient, came: asyncio.Event, *, leaves: bool) -> None:
    """Makes one call and reads it; `came` is set once there was content, and then the application leaves, or not."""
    options: Any = {"api_base": url, "api_key": "none", "stream": True, "timeout": CROWD_TIMEOUT_S}
    if which == 2:
        body = {"model": CROWD_MODEL, "max_tokens": 64, "stream": True, "messages": QUESTION}
        async with client.stream("POST", f"{url}/v1/messages", json=body) as response:
            async for line in response.aiter_lines():
                if "content_block_delta" in line:
                    came.set()
                    if leaves:
                        return
        return
    chunks: Any
    if which == 0:
        chunks = await litellm.acompletion(f"anthropic/{CROWD_MODEL}", QUESTION, num_retries=0, **options)
    else:
        make = litellm.anthropic.messages.acreate
        chunks = await make(model=f"anthropic/{CROWD_MODEL}", messages=QUESTION, max_tokens=64, **options)
    async for chunk in chunks:
        content = b"content_block_delta" in chunk if which == 1 else chunk.choices[0].delta.content
        if content:
            came.set()
            if leaves:
                await chunks.aclose()
                return


def direct(url: str) -> None:
    """One call by the SDK, in the same process."""
    client = anthropic.Anthropic(base_url=url, api_key="none", max_retries=0)
    for _ in client.messages.create(model="claude-test", max_tokens=16, messages=QUESTION, stream=True):
        pass


async def main() -> None:
    """Makes the calls of the task, then one by the SDK, and prints what was recorded of each."""
    task = json.load(sys.stdin)
    litellm.suppress_debug_info = True
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)
    said = Said()
    logging.getLogger("after200").addHandler(said)
    telemetry = Telemetry()
    after200.AnthropicInstrumentor().instrument(skip_dep_check=True)
    after200.HTTPInstrumentor().instrument()
    calls = [await call(way, f"{task['url']}/{scenario}", telemetry) for way, scenario in task["calls"]]
    telemetry.clear()
    await asyncio.to_thread(direct, f"{task['url']}/completed")
    direct_call = telemetry.recorded()["after200"]
    crowded = await crowd(task["url"], task["crowd"], telemetry) if task["crowd"] else []
    result = {"calls": calls, "direct": direct_call, "metrics": telemetry.metrics(), "said": said.lines}
    print(json.dumps({**result, "crowd": crowded}))


if __name__ == "__main__":
    asyncio.run(main())
