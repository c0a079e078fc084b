# SPDX-License-Identifier: Apache-2.0
"""An environment without settings of its own, a receiver of OTLP, and one call of `after200 verify` in it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator

import pytest

from after200.cli.receiver import Receiver
from after200.cli.verify.command import EXIT_STATUS, environment
from after200.http_instrumentors import INSTRUMENTORS

from ..support import warm
from .verified import CODES, Verified, Verify

PREFIXES = ("OTEL_", "ANTHROPIC_", "AFTER200_")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting but those of the test."""
    for name in list(os.environ):
        if name.startswith(PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")
    # The calls through HTTP libraries take as long as all else: `test_libraries.py` alone has them made.
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", ",".join(f"after200_{each}" for each in INSTRUMENTORS))


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """One receiver for all: each check has a model of its own."""
    with Receiver() as running:
        yield running


@pytest.fixture
def verify(receiver: Receiver) -> Verify:
    """Verify with these settings on top of the usual ones: OTLP over HTTP to the receiver. None takes one away.

    Runs the process of the check itself; `test_command.py` runs the command, which starts it.
    """

    def verified(*options: str, settings: dict[str, str | None] | None = None) -> Verified:
        usual = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        given = {**os.environ, **usual, **(settings or {})}
        model = f"after200-verify-{secrets.token_hex(4)}"
        instrument = str(not any(option.startswith("--setup") for option in options) or under_instrument())
        finished = warm.run(
            ["-m", "after200.cli.verify.command", model, instrument, "--json", *options],
            env=environment({name: value for name, value in given.items() if value is not None}, model),
        )
        assert finished.stdout, finished.stderr
        found = Verified(json.loads(finished.stdout))
        assert {*found.wrong, *found.notes} <= CODES
        assert (1 if found.wrong else 0) == EXIT_STATUS[finished.returncode]
        return found

    return verified


def under_instrument() -> bool:
    """Whether `opentelemetry-instrument` started the command, as far as its environment says."""
    return os.environ.get("PYTHONPATH", "").endswith("auto_instrumentation")
