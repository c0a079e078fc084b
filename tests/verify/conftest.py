# SPDX-License-Identifier: Apache-2.0
"""An environment without settings of its own, a receiver of OTLP, and one call of `after200 verify` in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from after200.cli.receiver import Receiver
from after200.cli.verify.checking import Options, run
from after200.cli.verify.diagnoses import diagnose
from after200.cli.verify.diagnoses.findings import FAULTS, NOTES

from .verified import Verified, Verify

PREFIXES = ("OTEL_", "ANTHROPIC_", "AFTER200_")


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
