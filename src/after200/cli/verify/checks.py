# SPDX-License-Identifier: Apache-2.0
"""The calls of a check, how each must be recorded, and `Seen`: everything that one check found out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from after200 import names
from after200.cli.endings import Ending, Item, counted
from after200.cli.exporters import Exporter
from after200.cli.otlp import Point, Span


class Check(NamedTuple):
    """One call: what the fault server plays, and what must be recorded. The package has no say in the latter."""

    name: str
    scenario: str
    expected: tuple[Item, ...]


COMPLETED = Ending("completed", None, 200, 200)
CHECKS = (
    Check("a good call", "completed", (COMPLETED, "complete")),
    Check("a refusal", "refusal", (COMPLETED, "refused")),
    Check("an overload mid-stream", "overloaded_error_mid_stream", (Ending("failed", "overloaded_error", 529, 200),)),
    Check("a truncated stream", "end_without_message_stop", (Ending("truncated", "stream_truncated", None, 200),)),
    Check("a dropped connection", "reset_mid_stream", (Ending("failed", "connection_error", None, 200),)),
)
EXPECTED = Counter(item for check in CHECKS for item in check.expected)


class Finding(NamedTuple):
    """One thing that is wrong, or worth knowing (then `wrong` is False), in words."""

    code: str
    what: str
    next: str
    wrong: bool


@dataclass
class Seen:
    """Everything that one check found out, filled while it goes on.

    Attributes:
        model: the model that the calls of the SDK ask for; it marks everything that is recorded of them. That of a call
            through an HTTP library has the name of its package behind it.
        service: the name of the service, with the mark of the check.
        setup: the service's own set-up, as `MODULE:FUNCTION`.
        required: the signals that must be exported.
        sdk_error: why the anthropic SDK cannot be used.
        sdk_missing: whether it is not installed, and HTTP libraries are instrumented.
        libraries: what the application received through each package of an HTTP library that is instrumented, by the
            name of the check.
        setup_error: why the module or the function that `setup` names is not there.
        set_up_error: what setting OpenTelemetry up raised.
        missing: a package that sets OpenTelemetry up and is not installed.
        registered: whether `opentelemetry-instrument` can find after200.
        active: whether after200 has instrumented the SDK.
        providers: the signals whose global provider exports.
        log: the warnings of OpenTelemetry and of after200, each once.
        application: what the application received, by the name of the check.
        prometheus: what Prometheus has of the calls; None when it was not asked.
        exported_job: whether Prometheus has the service's own job in the label of that name.
        alerts: the alerts that Alertmanager has of the calls.
        problems: what is wrong in Prometheus or Alertmanager: the code of the finding, and what was seen.
    """

    model: str
    service: str
    setup: str | None
    required: tuple[str, ...]
    sdk_error: str | None = None
    sdk_missing: bool = False
    libraries: dict[str, dict[str, str]] = field(default_factory=dict)
    setup_error: str | None = None
    set_up_error: str | None = None
    missing: str | None = None
    registered: bool = False
    active: bool = False
    providers: list[str] = field(default_factory=list)
    exporters: list[Exporter] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    application: dict[str, str] = field(default_factory=dict)
    prometheus: Counter[Item] | None = None
    exported_job: bool = False
    alerts: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    def of(self, signal: str) -> list[Exporter]:
        """Returns the exporters of a signal."""
        return [exporter for exporter in self.exporters if exporter.signal == signal]

    @property
    def followed(self) -> str:
        """The model whose calls are followed to Prometheus: that of the SDK, or of a library where there is no SDK."""
        return self.model_of(next(iter(self.libraries))) if self.sdk_missing and self.libraries else self.model

    def model_of(self, package: str | None) -> str:
        """Returns the model that calls through `package` ask for; None: the SDK."""
        return self.model if package is None else f"{self.model}-{package}"

    def marks(self, entry: Span | Point, package: str | None = None) -> bool:
        """Returns whether a span or a series is of the calls of this check through `package`; None: the SDK."""
        return self.model_of(package) in entry.attributes.values()

    def recorded(self, signal: str, package: str | None = None) -> Counter[Item]:
        """Counts the calls of this check in what was exported, each as often as any one exporter has it."""
        found: Counter[Item] = Counter()
        counts = (names.CALLS.name, names.ANSWERS_RECEIVED.name)
        for exporter in self.of(signal):
            spans = [(span.attributes, 1.0) for span in exporter.telemetry.spans if self.marks(span, package)]
            points = [one for one in exporter.points if one.metric in counts and self.marks(one, package)]
            found |= counted([*spans, *((point.attributes, point.value) for point in points)])
        return found
