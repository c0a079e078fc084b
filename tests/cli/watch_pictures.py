# SPDX-License-Identifier: Apache-2.0
"""The pictures of `after200 watch` in the documentation, by a program: `python -m tests.cli.watch_pictures`.

Three services call a fault server through the real SDK and export over OTLP to the receiver that `watch` uses; what its
screen then shows is written to docs/images/watch.svg (two models) and docs/images/watch-models.svg (a hundred).
"""

from __future__ import annotations

import io
import random
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import anthropic
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from rich.console import Console

from after200 import AnthropicInstrumentor
from after200.cli.otlp import Telemetry
from after200.cli.receiver import Receiver
from after200.cli.watch.command import KEPT, header
from after200.cli.watch.rows import Choice
from after200.cli.watch.summary import is_relevant, summarize
from after200.cli.watch.view import live
from after200.faults import FaultServer

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MIX = {"overloaded": 0.06, "truncated": 0.03, "http_529": 0.03, "refused": 0.04, "answer_cut": 0.03, "tool_error": 0.05}
FEW = {"shop": ["claude-sonnet-5", "claude-haiku-4-5"]}
MANY = {
    service: [f"us.anthropic.claude-{name}-5-{number}-v1:0" for name in ("sonnet", "haiku") for number in range(50)]
    for service in ("chat", "search", "support-bot")
}
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono"
QUESTION: Any = {"role": "user", "content": "What is entropy?"}


def main() -> int:
    """Writes both pictures and returns 0."""
    picture("watch", FEW, calls=170, width=110, height=50)
    picture("watch-models", MANY, calls=900, width=120, height=46)
    return 0


def picture(name: str, services: dict[str, list[str]], calls: int, width: int, height: int) -> None:
    """Makes the calls, and writes what the screen of that size shows."""
    draw = random.Random(name)  # not the seed of the server: the models would go with the faults
    with (
        FaultServer(mix=MIX, seed=7, rate_limits={"requests": 2 * calls}) as server,
        Receiver(telemetry=Telemetry(KEPT, is_relevant)) as receiver,
    ):
        for service, models in services.items():
            call(service, server.base_url("mix"), receiver.url, draw.choices(models, k=calls // len(services)))
        summary = summarize(receiver)
        console = Console(width=width, height=height, record=True, file=io.StringIO())
        words = header(receiver, summary, 13, Choice(), width).replace(receiver.url, "http://127.0.0.1:4318")
        console.print(live(summary, console, words), end="")
        svg = console.export_svg(title="after200 watch", unique_id=name)
    # Nothing is loaded from elsewhere: the terminal's font is the reader's own.
    start, end = svg.index("@font-face"), svg.index(f".{name}-matrix")
    svg = svg[:start] + svg[end:]
    svg = svg.replace(
        "Fira Code, monospace", "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
    )
    path = IMAGES / f"{name}.svg"
    path.write_text(svg, encoding="utf-8")
    print(path)


def call(service: str, api: str, otlp: str, models: list[str]) -> None:
    """One call for each of the models, as a service of that name."""
    resource = Resource({"service.name": service})
    tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{otlp}/v1/traces")))
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{otlp}/v1/logs")))
    meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(f"{otlp}/v1/metrics"))], resource)
    AnthropicInstrumentor().instrument(
        spans="own", tracer_provider=tracers, meter_provider=meters, logger_provider=loggers
    )
    client = anthropic.Anthropic(base_url=api, api_key="none")
    for model in models:
        stream = client.messages.stream(model=model, max_tokens=64, messages=[QUESTION])
        with suppress(Exception), stream as events:  # what a call raises is what the picture is about
            events.until_done()
    AnthropicInstrumentor().uninstrument()
    for provider in (tracers, meters, loggers):
        provider.shutdown()


if __name__ == "__main__":
    sys.exit(main())
