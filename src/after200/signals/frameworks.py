# SPDX-License-Identifier: Apache-2.0
"""Frameworks that record the metrics of calls that they make through the SDK, seen in what the meter provider has.

A framework and after200 both count such a call, whatever span stands between them, and whether it is sampled or not.
So the evidence is the framework's own series: one that came up since after200 began to look, for a model of which a
call that after200 recorded has ended. A series that was there before proves nothing, because the call may be an older
one.

The OpenTelemetry API does not say which series there are. This file reads private attributes of the SDK's meter
provider, from 1.38 to the newest (`tests/neighbours`, `tests/context/test_double_counts.py`). Where they are not found,
nothing is reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from opentelemetry import metrics
from opentelemetry.metrics import MeterProvider

from .. import names
from ..guard import guarded

GENAI: Final = frozenset({names.DURATION.name, names.TIME_TO_FIRST_CHUNK.name, names.TOKEN_USAGE.name})
"""The metrics that after200 records under the names of the conventions."""

LANGCHAIN: Final = "opentelemetry.instrumentation.langchain"
"""The module and scope of OpenLLMetry's package for LangChain, which silences OpenLLMetry's package for the SDK."""

FRAMEWORKS: Final = {
    "agent_framework": "agent-framework",
    "gcp.vertex.agent": "google-adk",
    "pydantic-ai": "pydantic-ai",
    LANGCHAIN: "opentelemetry-instrumentation-langchain",
}
"""Scope of a framework that records its calls by itself → its distribution. Each uses the SDK for Claude."""

_PROVIDERS: Final = ("anthropic", "bedrock", "vertex")
"""What the name of a provider has in it that is reached through the SDK; the frameworks write it each in its way."""


class Series(NamedTuple):
    """A series of a framework's."""

    scope: str
    metric: str
    model: str
    """The model that was asked for; the one that answered, where the framework records no other."""


class Frameworks:
    """The frameworks that one meter provider has series of."""

    def __init__(self, provider: Callable[[], MeterProvider | None]) -> None:
        """`provider` returns the meter provider, or None once it has gone."""
        self._provider = provider
        self._ended: set[str] = set()
        self._older = set(self._series())

    def ended(self, *models: str | None) -> None:
        """after200 recorded a call of the SDK that has ended: the model asked for, and the one that answered."""
        for model in models:
            if model is not None:
                self._ended.add(model)

    def stopped(self) -> None:
        """after200 records no further call of the SDK until it is activated again."""
        self._ended.clear()

    def count_too(self) -> Mapping[str, set[str]]:
        """Returns, for the scope of each framework that recorded calls that after200 recorded too, the metrics."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for series in self._series():
            if series not in self._older and series.model in self._ended:
                found[series.scope].add(series.metric)
        return found

    def _series(self) -> list[Series]:
        return guarded(_found)(self._provider()) or []


def _found(provider: object) -> list[Series]:
    found = []
    for instrument, streams in _streams(provider):
        scope = getattr(getattr(instrument, "instrumentation_scope", None), "name", None)
        if scope not in FRAMEWORKS:
            continue
        for stream in streams:
            metric = getattr(stream, "_name", None)
            for aggregation in list(getattr(stream, "_attributes_aggregation", {}).values()):
                attributes = getattr(aggregation, "_attributes", None) or {}
                model = attributes.get(names.REQUEST_MODEL, attributes.get(names.RESPONSE_MODEL))
                if metric in GENAI and isinstance(model, str) and _is_of_the_sdk(attributes):
                    found.append(Series(scope, metric, model))
    return found


def _is_of_the_sdk(attributes: Mapping[str, Any]) -> bool:
    """Returns False for a provider that is reached without the SDK, such as a gateway with the API of OpenAI."""
    provider = attributes.get(names.PROVIDER_NAME)
    return provider is None or any(part in str(provider) for part in _PROVIDERS)


def _streams(provider: object) -> Iterator[tuple[object, list[Any]]]:
    """Yields each instrument that has recorded something, with its streams: one for each view that fits."""
    if type(provider).__name__ == "_ProxyMeterProvider" and not hasattr(provider, "provider"):
        # The API's, which stands for the provider that is global by now.
        provider = metrics.get_meter_provider()
    # logfire's stands for the SDK's, which is its `provider`.
    provider = getattr(provider, "provider", provider)
    storages = getattr(getattr(provider, "_measurement_consumer", None), "_reader_storages", {})
    for storage in list(storages.values())[:1]:
        yield from list(getattr(storage, "_instrument_view_instrument_matches", {}).items())
