# SPDX-License-Identifier: Apache-2.0
"""What is to be expected of each neighbour, as a table. The tests hold it to be true, docs/neighbours.md shows it."""

from __future__ import annotations

from dataclasses import dataclass, field

NEWEST_SDK = "anthropic >= 2.11, < 3"
BEFORE_ITS_OWN_TRACING = "anthropic >= 0.125, < 1"

ONE_SPAN = {"ANTHROPIC_OPEN_TELEMETRY": "false", "OTEL_INSTRUMENTATION_AFTER200_SPANS": "none"}
"""Leaves spans to the neighbour: the SDK makes none, and neither does after200."""

NO_DOUBLE_COUNT = {"OTEL_INSTRUMENTATION_AFTER200_GENAI_METRICS": "false"}

DURATION, FIRST_CHUNK, TOKENS = (
    "gen_ai.client.operation.duration",
    "gen_ai.client.operation.time_to_first_chunk",
    "gen_ai.client.token.usage",
)


@dataclass(frozen=True)
class Neighbour:
    """An instrumentation that may be active in the same process."""

    name: str
    """What `activation.py` calls it."""

    title: str
    requirement: str
    scope: str
    """Prefix of the scope of its spans."""

    spans: dict[str, tuple[int, int]]
    """The SDK's tracing (on, off) → how many spans a streamed call has without after200 and with it."""

    overlap: tuple[str, ...] = ()
    """The metrics that it and after200 both record."""

    advice: dict[str, str] = field(default_factory=dict)
    """What to set for one span and one count of each call; empty where there is nothing to set."""

    without_metrics: dict[str, str] = field(default_factory=dict)
    """How to tell it to leave its metrics out, where that can be done by environment."""

    drops: tuple[str, ...] = ()
    """The calls of which it drops all spans but its own, as they end while it suppresses other instrumentation."""

    sdk: str = NEWEST_SDK

    @property
    def version(self) -> str:
        return self.requirement.partition("==")[2].strip()


NEIGHBOURS = (
    Neighbour(
        "genai",
        "opentelemetry-instrumentation-genai-anthropic",
        "opentelemetry-instrumentation-genai-anthropic == 1.3b0",
        "opentelemetry.instrumentation.genai.anthropic",
        {"on": (2, 2), "off": (1, 2)},
        (DURATION, FIRST_CHUNK, TOKENS),
        ONE_SPAN | NO_DOUBLE_COUNT,
    ),
    Neighbour(
        "openllmetry",
        "opentelemetry-instrumentation-anthropic (OpenLLMetry)",
        "opentelemetry-instrumentation-anthropic == 0.62.4",
        "opentelemetry.instrumentation.anthropic",
        {"on": (2, 2), "off": (1, 2)},
        (DURATION, TOKENS),
        ONE_SPAN | NO_DOUBLE_COUNT,
        {"TRACELOOP_METRICS_ENABLED": "false"},
    ),
    Neighbour(
        "openinference",
        "openinference-instrumentation-anthropic",
        "openinference-instrumentation-anthropic == 3.1.0",
        "openinference.instrumentation.anthropic",
        {"on": (2, 2), "off": (1, 2)},
        (),
        ONE_SPAN,
    ),
    Neighbour(
        "openlit",
        "openlit",
        "openlit == 1.45.0",
        "openlit.instrumentation.anthropic",
        {"off": (1, 2)},
        (DURATION, FIRST_CHUNK, TOKENS),
        {"OTEL_INSTRUMENTATION_AFTER200_SPANS": "none"} | NO_DOUBLE_COUNT,
        {"OPENLIT_DISABLE_METRICS": "true"},
        sdk=BEFORE_ITS_OWN_TRACING,
    ),
    Neighbour(
        "logfire",
        "logfire",
        "logfire == 5.2.0",
        "logfire.anthropic",
        {"on": (3, 3), "off": (2, 3)},
        (),
        ONE_SPAN,
        drops=("whole", "refused"),
    ),
    Neighbour(
        "httpx2",
        "opentelemetry-instrumentation-httpx (`HTTPX2ClientInstrumentor`)",
        "opentelemetry-instrumentation-httpx == 0.66b2",
        "opentelemetry.instrumentation.httpx",
        {"on": (2, 2), "off": (1, 2)},
    ),
)


@dataclass(frozen=True)
class Framework:
    """A framework, or its instrumentation, that records metrics of the calls that go through it."""

    name: str
    """What `frameworks.py` calls it."""

    requirement: str
    scope: str
    """The scope of its metrics."""

    overlap: tuple[str, ...]
    """The metrics that it and after200 both record."""

    also: tuple[str, ...] = ()
    """What else its environment has."""

    sdk: str = NEWEST_SDK

    @property
    def title(self) -> str:
        return self.requirement.partition(" == ")[0]

    @property
    def version(self) -> str:
        return self.requirement.partition(" == ")[2]


FRAMEWORKS = (
    Framework(
        "agent_framework",
        "agent-framework-anthropic == 1.0.0b261022",
        "agent_framework",
        (DURATION, TOKENS),
        sdk="anthropic >= 1.14, < 2",
    ),
    Framework("google_adk", "google-adk == 2.13.0", "gcp.vertex.agent", (DURATION, TOKENS)),
    Framework("pydantic_ai", "pydantic-ai-slim[anthropic] == 2.68.0", "pydantic-ai", (FIRST_CHUNK, TOKENS)),
    Framework(
        "langchain",
        "opentelemetry-instrumentation-langchain == 0.62.4",
        "opentelemetry.instrumentation.langchain",
        (DURATION, TOKENS),
        also=("langchain-anthropic == 1.7.10", "opentelemetry-instrumentation-anthropic == 0.62.4"),
    ),
)
