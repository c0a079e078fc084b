# SPDX-License-Identifier: Apache-2.0
"""Everything one check saw, as frozen records: the answers of the probe, the network, Prometheus, Alertmanager.

No judgement here: `diagnoses` reads this, and so does `report`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from after200 import names
from after200.cli.verify.endings import CHECKS, Check, Ending, ending_of
from after200.cli.verify.network import Reply
from after200.cli.verify.prometheus import Missing

SIGNALS = ("traces", "metrics")
"""What has to arrive, unless told otherwise. Log records are the errors once more, and shown only."""


@dataclass(frozen=True)
class ExporterSeen:
    """One exporter of the probe."""

    signal: str
    kind: str
    endpoint: str | None
    pulled: bool
    offered: int
    accepted: int
    refused: int
    temporality: str
    calls: Counter[Ending]
    """By how they ended, of the check's model and recorded by after200, as the exporter's receiver took them."""
    others: Mapping[str, int]
    """Spans of a call, and points of `gen_ai.client.operation.duration`, by scopes that are not after200."""
    reply: Reply | None = None
    """Who answers at its endpoint; asked only when it failed."""

    @property
    def grpc(self) -> bool:
        """Whether it speaks gRPC."""
        return ".grpc." in self.kind

    @property
    def remote(self) -> bool:
        """Whether it sends to somebody over the network."""
        return self.endpoint is not None and not self.pulled

    @property
    def failed(self) -> bool:
        """Whether it was given something, and nothing of it was taken."""
        return self.offered > 0 and self.accepted == 0


@dataclass(frozen=True)
class Seen:
    """One check, when it is over."""

    run: str
    model: str
    service: str
    required: tuple[str, ...]
    setup: str | None
    environment: Mapping[str, str]
    facts: Mapping[str, Any]
    """The probe's first answer; empty when it gave none."""
    log: tuple[str, ...] = ()
    probe_error: str | None = None
    saw: Mapping[str, str] = field(default_factory=dict)
    """What the application got to see, by the name of the check."""
    exporters: tuple[ExporterSeen, ...] = ()
    pulled: Counter[Ending] = field(default_factory=Counter)
    """What the process's own page for Prometheus says."""
    prometheus_url: str | None = None
    prometheus: Counter[Ending] = field(default_factory=Counter)
    prometheus_missing: Missing | None = None
    prometheus_labels: frozenset[str] = frozenset()
    born_at_zero: bool | None = None
    alertmanager_url: str | None = None
    alerts: tuple[str, ...] = ()
    alerts_missing: Missing | None = None

    def of(self, signal: str) -> tuple[ExporterSeen, ...]:
        """The exporters of a signal."""
        return tuple(exporter for exporter in self.exporters if exporter.signal == signal)

    def recorded(self, signal: str) -> Counter[Ending]:
        """The calls that were taken, for the exporter that took most."""
        found = [exporter.calls for exporter in self.of(signal)]
        if signal == "metrics":
            found.append(self.pulled)
        return max(found, key=lambda calls: calls.total(), default=Counter())

    def version(self, package: str) -> str | None:
        """The installed version of a package."""
        found = self.facts.get("packages", {}).get(package)
        return None if found is None else str(found)


EXPECTED = Counter(check.expected for check in CHECKS)


RIGHT = "yes"


def recorded_for(check: Check, recorded: Counter[Ending]) -> str:
    """Whether this call was recorded as it should be, or what was recorded in its place."""
    if recorded[check.expected] == EXPECTED[check.expected]:
        return RIGHT
    surprises = [str(ending) for ending in recorded - EXPECTED]
    return " / ".join(surprises) or "no"


def exporters_seen(answers: list[dict[str, Any]], model: str) -> list[ExporterSeen]:
    """The exporters, from the probe's answer."""
    return [_exporter(answer, model) for answer in answers]


def _exporter(answer: dict[str, Any], model: str) -> ExporterSeen:
    calls: Counter[Ending] = Counter()
    others: Counter[str] = Counter()
    for scope, metric, attributes, value in answer["series"]:
        if attributes.get(names.REQUEST_MODEL) != model:
            continue
        if metric == names.CALLS.name:
            calls[ending_of(attributes)] += int(value)
        elif scope != names.SCOPE:
            others[scope] += int(value)
    for scope, _, attributes in answer["spans"]:
        if attributes.get(names.REQUEST_MODEL) != model:
            continue
        if names.OUTCOME in attributes:
            calls[ending_of(attributes)] += 1
        else:
            others[scope] += 1
    kept = ("signal", "kind", "endpoint", "pulled", "offered", "accepted", "refused", "temporality")
    return ExporterSeen(**{name: answer[name] for name in kept}, calls=+calls, others=dict(others))
