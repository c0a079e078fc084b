# SPDX-License-Identifier: Apache-2.0
"""How each neighbour is activated, as its own documentation says; run in an environment in which it is installed.

Nothing of a neighbour is imported before it is asked for.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import Any


def genai() -> None:
    from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()


def openllmetry() -> None:
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()


def openinference() -> None:
    from openinference.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()


def openlit() -> None:
    import openlit

    # The prices of models are fetched from the network unless a file has them.
    with _prices() as prices:
        openlit.init(pricing_json=prices)


def logfire() -> None:
    import logfire

    logfire.instrument_anthropic()


def httpx2() -> None:
    from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor

    HTTPX2ClientInstrumentor().instrument()


ACTIVATE: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (genai, openllmetry, openinference, openlit, logfire, httpx2)
}


_MODULES = {
    "genai": ("opentelemetry.instrumentation.genai.anthropic",),
    "openllmetry": ("opentelemetry.instrumentation.anthropic",),
    "openinference": ("openinference.instrumentation.anthropic",),
    # It also imports what else it has instrumentations for, where that is installed.
    "openlit": ("openlit", "openai.resources", "opentelemetry.instrumentation.httpx"),
    "logfire": ("logfire",),
    "httpx2": ("opentelemetry.instrumentation.httpx",),
}


def load(neighbour: str) -> None:
    """Imports what the neighbour needs, once for all runs; that activates nothing."""
    for module in _MODULES[neighbour]:
        importlib.import_module(module)


@contextlib.contextmanager
def _prices() -> Iterator[str]:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write('{"chat": {}}')
        file.flush()
        yield file.name


def set_providers(neighbour: str, processors: Any, reader: Any, log_processor: Any) -> None:
    """The global providers, as an application sets them up: with logfire, that is by `logfire.configure()`."""
    from opentelemetry import _logs, metrics, trace
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider

    if neighbour == "logfire":
        import logfire

        logfire.configure(
            send_to_logfire=False,
            console=False,
            additional_span_processors=processors,
            metrics=logfire.MetricsOptions(additional_readers=[reader]),
            advanced=logfire.AdvancedOptions(log_record_processors=[log_processor]),
        )
        return
    tracer_provider = TracerProvider()
    for processor in processors:
        tracer_provider.add_span_processor(processor)
    trace.set_tracer_provider(tracer_provider)
    metrics.set_meter_provider(MeterProvider([reader]))
    logger_provider = LoggerProvider()
    logger_provider.add_log_record_processor(log_processor)
    _logs.set_logger_provider(logger_provider)
