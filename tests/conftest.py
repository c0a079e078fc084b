# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for: one fault server and one application for all of them, and telemetry of its own."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from opentelemetry.context import Context, attach, get_current

from after200.faults import FaultServer
from after200.guard import reported

from .support.authorities import trust_one
from .support.representatives import MARKERS
from .support.streams.application import Application
from .support.telemetry import Telemetry

LONG = (
    *("streams", "libraries", "neighbours", "docs", "verify", "monitoring", "drawing"),
    *("report", "cli", "benchmarks", "resilience", "load", "plugin", "contract", "transparency"),
    *("ci", "context", "surfaces"),
)
"""What takes longest in all, begun first: one process runs all tests of a file, and should not be the last to end."""


def pytest_configure(config: pytest.Config) -> None:
    """Registers the markers that every run meets, and has every client read one certificate authority."""
    trust_one()
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests that take longest before the many that are short."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(LONG)))


def pytest_collection_finish() -> None:
    """Excludes what was imported from garbage collection: tests call `gc.collect()` hundreds of times.

    The SDK alone has more than 100,000 objects, none of them garbage.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def what_other_modules_left_is_not_collected() -> None:
    """Excludes it from garbage collection, which would go through what thousands of tests have left, each time anew."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def server() -> Iterator[FaultServer]:
    """One server plays all scenarios. Tests keep apart by the key in their base URL."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture(scope="session")
def _application(server: FaultServer) -> Iterator[Application]:
    # One for all tests: making clients costs more than most of the tests.
    application = Application(server)
    yield application
    application.close()


@pytest.fixture
def application(_application: Application, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """An application that does not wait long before it tries again, and a server with an empty log.

    Garbage is collected only where a test asks for it, or between tests. Streams that older SDKs leave to the garbage
    collector would be closed at any time, even in the middle of httpcore's pool, whose lock is not reentrant.
    """
    monkeypatch.setattr("anthropic._base_client.INITIAL_RETRY_DELAY", 0.001)
    _application.server.clear()
    gc.disable()
    yield _application
    gc.enable()


@pytest.fixture(autouse=True)
def nothing_is_reported() -> None:
    """A warning that one test brings must not keep back that of another."""
    reported.clear()


@pytest.fixture(autouse=True)
def nothing_stays_current() -> Iterator[None]:
    """What is current after a test would be the parent of the spans of all tests that come after it."""
    before = get_current()
    yield
    left = get_current()
    if left != before:
        attach(Context(before))
    assert before == left
