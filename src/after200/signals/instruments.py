# SPDX-License-Identifier: Apache-2.0
"""The instruments of each meter provider."""

from __future__ import annotations

import weakref
from typing import Final

from opentelemetry import metrics
from opentelemetry.metrics import Histogram, Meter, MeterProvider

from .. import names
from .._version import __version__
from . import attributes
from .deferred import Deferred
from .frameworks import Frameworks
from .rate_limits import RateLimits


class Instruments:
    """The instruments of one meter provider.

    One set for each provider, for the life of the process: a meter accepts an observable instrument once, and
    cumulative sums must not restart after `uninstrument()`.
    """

    def __init__(self, provider: MeterProvider, meter: Meter) -> None:
        self.meter = meter
        self._provider = weakref.ref(provider)
        self.frameworks = Frameworks(self._provider)
        self.deferred = Deferred(self)
        # The callbacks of the first instrument run first, so what they record is collected with the others.
        self.calls = self.deferred.sum(self.meter, names.CALLS)
        self.answers = self.deferred.sum(self.meter, names.ANSWERS_RECEIVED)
        self.server_tools = self.deferred.sum(self.meter, names.SERVER_TOOL_CALLS)
        self.attempts = self.deferred.sum(self.meter, names.ATTEMPTS)
        self.retry_wait = self.deferred.sum(self.meter, names.RETRY_WAIT)
        self.tokens = self.deferred.sum(self.meter, names.TOKENS)
        self.open = self.deferred.sum(self.meter, names.STREAMS_OPEN)
        self.inner_errors = self.deferred.sum(self.meter, names.INNER_ERRORS)
        self.rate_limits = RateLimits()
        for metric, observe in (
            (names.RATE_LIMIT_UTILIZATION, self.rate_limits.utilizations),
            (names.RATE_LIMIT_LIMIT, self.rate_limits.limits),
        ):
            self.meter.create_observable_gauge(metric.name, [observe], metric.unit, metric.description)
        self.born: set[tuple[attributes.Kind, str | None]] = set()
        """The kinds of calls, each with its client, whose watched failures have been born at zero."""

    def write_to(self, provider: MeterProvider, meter: Meter) -> bool:
        """Returns whether these are the instruments of `provider`, whose meter is `meter`.

        While no global provider is set, OpenTelemetry hands out meters that stand for those of the one that will be.
        """
        return self._provider() is provider or getattr(self.meter, "_real_meter", self.meter) is meter

    def histogram(self, metric: names.Metric) -> Histogram:
        """Returns the histogram for `metric`, with the conventions' advice on its buckets."""
        return self.meter.create_histogram(
            metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
        )


_instruments: Final[weakref.WeakSet[Instruments]] = weakref.WeakSet()


def instruments_of(meter_provider: MeterProvider | None) -> Instruments:
    """Returns the instruments of `meter_provider`; None stands for the provider that is global now."""
    provider = metrics.get_meter_provider() if meter_provider is None else meter_provider
    meter = meter_of(provider)
    for instruments in list(_instruments):
        if instruments.write_to(provider, meter):
            return instruments
    made = Instruments(provider, meter)
    _instruments.add(made)
    return made


def meter_of(provider: MeterProvider) -> Meter:
    """Returns the meter of this package."""
    return metrics.get_meter(names.SCOPE, __version__, provider, names.SCHEMA_URL)
