# SPDX-License-Identifier: Apache-2.0
"""An environment without settings of its own, a receiver of OTLP, and one call of `after200 verify` in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from after200.cli.receiver import Receiver
from after200.cli.verify.checking import Options, run
from after200.cli.verify.diagnoses import Finding, diagnose
from after200.cli.verify.diagnoses.findings import FAULTS, NOTES
from after200.cli.verify.report import as_json
from after200.cli.verify.seen import Seen

PREFIXES = ("OTEL_", "ANTHROPIC_", "AFTER200_")


class Verified(NamedTuple):
    """What was seen, and what was found."""

    seen: Seen
    findings: list[Finding]

    @property
    def wrong(self) -> list[str]:
        """The codes of what is wrong."""
        return [finding.code for finding in self.findings if finding.wrong]

    @property
    def notes(self) -> list[str]:
        """The codes of what is worth knowing."""
        return [finding.code for finding in self.findings if not finding.wrong]

    def said(self, code: str) -> str:
        """What is said about a code, and what to look at next."""
        return " ".join(f"{finding.what} {finding.next}" for finding in self.findings if finding.code == code)

    @property
    def result(self) -> dict[str, Any]:
        """The result as JSON has it."""
        return as_json(self.seen, self.findings)


Verify = Callable[..., Verified]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting but those of the test."""
    for name in list(os.environ):
        if name.startswith(PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """One receiver for all: each check has a model of its own."""
    with Receiver() as running:
        yield running


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> Verify:
    """Verify with these settings on top of the usual ones: OTLP over HTTP to the receiver. None takes one away."""

    def verified(settings: dict[str, str | None] | None = None, **options: Any) -> Verified:
        usual = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        for name, value in (usual | (settings or {})).items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        seen = run(Options(**{"timeout": 30.0, **options}), lambda line: None)
        findings = diagnose(seen)
        assert {finding.code for finding in findings} <= {*FAULTS, *NOTES}
        return Verified(seen, findings)

    return verified
