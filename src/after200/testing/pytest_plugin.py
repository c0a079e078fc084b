# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests of code that calls Claude: `claude_faults` fails as the API does, `after200_telemetry` says what
was recorded of it.

Nothing is imported until a test asks for a fixture: the plugin is loaded wherever the package is installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from after200.faults import FaultServer

    from .recorded import RecordedTelemetry

MARKER = "after200(**settings): keywords of AnthropicInstrumentor().instrument() for the fixture after200_telemetry"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def claude_faults() -> Iterator[FaultServer]:
    """A running fault server: `claude_faults.base_url("overloaded_error_mid_stream")`, `claude_faults.log`."""
    try:
        from after200.faults import FaultServer
    except ModuleNotFoundError as error:
        _fail_for_lack_of(error, "claude_faults", "faults")
    with FaultServer() as server:
        yield server


@pytest.fixture
def after200_telemetry(request: pytest.FixtureRequest) -> Iterator[RecordedTelemetry]:
    """What is recorded while the test runs: `.calls`, `.spans`, `.logs`, `.points(metric)`, `.total(metric)`.

    Settings come from the environment, or from `@pytest.mark.after200(correct_exceptions=True)`.
    """
    try:
        from .recorded import RecordedTelemetry
    except ModuleNotFoundError as error:
        _fail_for_lack_of(error, "after200_telemetry", "pytest")
    recorder = RecordedTelemetry(**_settings(request.node))
    try:
        recorder.__enter__()
    except RuntimeError as error:
        pytest.fail(f"the fixture after200_telemetry cannot be used: {error}", pytrace=False)
    try:
        yield recorder
    finally:
        recorder.__exit__(None, None, None)


def _fail_for_lack_of(error: ModuleNotFoundError, fixture: str, extra: str) -> NoReturn:
    """Fails the test with the extra that brings what is missing."""
    from after200.installation import pip_install

    pytest.fail(f"the fixture {fixture} needs {error.name}: {pip_install(extra)}", pytrace=False)


def _settings(test: Any) -> dict[str, Any]:
    """The keywords of the test's markers, the nearest last."""
    from dataclasses import fields

    from after200.settings import Settings

    accepted = [field.name for field in fields(Settings)]
    settings: dict[str, Any] = {}
    for marker in reversed(list(test.iter_markers("after200"))):
        unknown = [*map(repr, marker.args), *(name for name in marker.kwargs if name not in accepted)]
        if unknown:
            pytest.fail(
                f"the marker after200 does not take {', '.join(unknown)}; keywords are {', '.join(accepted)}",
                pytrace=False,
            )
        settings.update(marker.kwargs)
    return settings
