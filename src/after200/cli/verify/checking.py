# SPDX-License-Identifier: Apache-2.0
"""One check from its start to its end: the fault server, the probe, the calls, the waiting. Out comes a `Seen`.

The good call comes first and is exported by itself, so that whoever scrapes finds the series of the failures at zero
before they are at one: only so can `increase()` see them.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from after200.cli.verify.alertmanager import Alertmanager
from after200.cli.verify.endings import FAULTS, GOOD, Check, Ending
from after200.cli.verify.exports import GROUPS
from after200.cli.verify.network import look_at
from after200.cli.verify.process import SUFFIX, Probe, ProbeFailedError, service_name, under_instrument
from after200.cli.verify.prometheus import Prometheus
from after200.cli.verify.pulled import read_page
from after200.cli.verify.seen import EXPECTED, SIGNALS, Seen, exporters_seen
from after200.faults import FaultServer

START_S = 60.0
CALL_S = 20.0
FLUSH_S = 12.0
"""A little more than an OTLP exporter tries by default."""
AGAIN_S = 5.0


@dataclass(frozen=True)
class Options:
    """What the command was asked for."""

    timeout: float = 60.0
    required: tuple[str, ...] = SIGNALS
    setup: str | None = None
    prometheus: str | None = None
    alertmanager: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def run(options: Options, tell: Callable[[str], None]) -> Seen:
    """Check, and return what was seen. `tell` is given one line for each thing that takes time."""
    check = _Run(options, tell)
    try:
        check.run()
    except ProbeFailedError as failed:
        check.seen = replace(check.seen, probe_error=str(failed))
    return check.seen


class _Run:
    def __init__(self, options: Options, tell: Callable[[str], None]) -> None:
        name = f"after200-verify-{secrets.token_hex(4)}"
        self.options, self.tell = options, tell
        self.prometheus = Prometheus(options.prometheus, options.headers) if options.prometheus else None
        self.seen = Seen(
            run=name,
            model=name,
            service=service_name(os.environ) + SUFFIX,
            required=options.required,
            setup=options.setup,
            environment={
                key: value for key, value in os.environ.items() if key.startswith(("OTEL_", "ANTHROPIC_OPEN"))
            },
            facts={},
            prometheus_url=options.prometheus,
            alertmanager_url=options.alertmanager,
        )

    def run(self) -> None:
        instrument = self.options.setup is None or under_instrument(os.environ)
        with Probe(self.seen.run, setup=self.options.setup, instrument=instrument) as probe:
            self.tell("setting up OpenTelemetry as the service would")
            self._read(facts := probe.answer(START_S))
            self.seen = replace(self.seen, facts=facts)
            if facts["sdk_error"] is not None:
                return
            with FaultServer() as server:
                self._calls(probe, server)
            self._look_at_failed()
            # The probe is still there: a page can be scraped only while its process lives.
            if self._arrives():
                self._wait_for_prometheus(EXPECTED)
                self._wait_for_alert()

    def _calls(self, probe: Probe, server: FaultServer) -> None:
        self._call(probe, server, GOOD)
        self._flush(probe)
        if self.prometheus is not None and self._arrives():
            # What is born at one is never seen to increase.
            at_zero = Counter({GOOD.expected: 1} | {check.expected: 0 for check in FAULTS})
            self.tell(f"waiting for the first series in {self.prometheus.url}")
            self._wait_for_prometheus(at_zero)
            self.seen = replace(self.seen, born_at_zero=self.seen.prometheus_missing is None)
        for check in FAULTS:
            self._call(probe, server, check)
        if not self._all_failed():  # once is enough to see that nobody answers
            self._flush(probe)
        for exporter in self.seen.exporters:
            if exporter.pulled and exporter.endpoint:
                self.seen = replace(self.seen, pulled=read_page(exporter.endpoint, self.seen.model))

    def _call(self, probe: Probe, server: FaultServer, check: Check) -> None:
        self.tell(check.name)
        answer = probe.ask(
            {"do": "call", "base_url": server.base_url(check.scenario), "model": self.seen.model}, CALL_S
        )
        self.seen = replace(self.seen, saw={**self.seen.saw, check.name: answer["saw"]})
        self._read(answer)

    def _flush(self, probe: Probe) -> None:
        self.tell("exporting")
        # A reader that is pulled from keeps what a flush gives it, and shows it twice on its next page.
        signals = [signal for signal in GROUPS if any(not exporter.pulled for exporter in self.seen.of(signal))]
        request = {"do": "flush", "signals": signals, "patience": self.options.required, "seconds": FLUSH_S}
        self._read(probe.ask(request, FLUSH_S + CALL_S))

    def _read(self, answer: Mapping[str, Any]) -> None:
        exporters = tuple(exporters_seen(answer["exporters"], self.seen.model))
        self.seen = replace(self.seen, exporters=exporters, log=tuple(answer["log"]))

    def _look_at_failed(self) -> None:
        looked = tuple(
            replace(exporter, reply=look_at(exporter.endpoint, grpc=exporter.grpc))
            if exporter.endpoint and exporter.remote and exporter.failed
            else exporter
            for exporter in self.seen.exporters
        )
        self.seen = replace(self.seen, exporters=looked)

    def _all_failed(self) -> bool:
        offered = [exporter for exporter in self.seen.exporters if exporter.offered]
        return bool(offered) and all(exporter.failed for exporter in offered)

    def _arrives(self) -> bool:
        """Whether any metric left the process at all; else there is nothing to wait for."""
        return any(exporter.pulled or exporter.accepted for exporter in self.seen.of("metrics"))

    def _wait_for_prometheus(self, expected: Counter[Ending]) -> None:
        if self.prometheus is None:
            return
        self.tell(f"waiting for the counts in {self.prometheus.url}")
        # What has not come in all that time is only asked for once more, with the failures there as well.
        seconds = self.options.timeout if self.seen.prometheus_missing is None else AGAIN_S
        found, missing = self.prometheus.wait_for(self.seen.model, expected, seconds)
        labels = frozenset(self.prometheus.labels)
        self.seen = replace(self.seen, prometheus=found, prometheus_missing=missing, prometheus_labels=labels)

    def _wait_for_alert(self) -> None:
        if self.options.alertmanager is None or self.seen.prometheus_missing is not None:
            return
        self.tell(f"waiting for an alert at {self.options.alertmanager}")
        alertmanager = Alertmanager(self.options.alertmanager, self.options.headers)
        alerts, missing = alertmanager.wait_for(self.seen.model, self.prometheus, self.options.timeout)
        self.seen = replace(self.seen, alerts=tuple(alerts), alerts_missing=missing)
