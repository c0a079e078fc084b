# SPDX-License-Identifier: Apache-2.0
"""`check`: one call on one platform, and everything that was recorded of it against what should have been."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from after200.faults import FaultServer

from ..support.platforms.clients import make_client
from ..support.platforms.expected import Fault, expected_calls, expected_span, recorded_calls, recorded_span
from ..support.platforms.readers import Seen, Way, read
from ..support.telemetry import Telemetry
from .checking import Check


@pytest.fixture
def check(server: FaultServer, telemetry: Telemetry, request: pytest.FixtureRequest) -> Check:
    """Has `scenario` read in `way`; compares span, calls and open streams; gives back what the application saw."""

    def check_one(platform: str, scenario: str, way: Way, fault: Fault, **settings: Any) -> Seen:
        def make(is_async: bool) -> Any:
            return make_client(platform, server, scenario, request.node.name, is_async=is_async)

        with telemetry.instrumented(**settings):
            seen = read(way, make)
            if telemetry.open_spans:
                gc.collect()  # up to 1.13 a stream that is left alone is in a cycle with its generator
        assert [expected_span(fault, way, platform, server)] == [recorded_span(span) for span in telemetry.spans]
        assert expected_calls(fault, way, platform) == recorded_calls(telemetry)
        assert telemetry.open_spans == []
        assert telemetry.total("after200.streams.open") == 0
        return seen

    return check_one


@pytest.fixture
def same(server: FaultServer, telemetry: Telemetry) -> Callable[[str, str, Way], Seen]:
    """Has `scenario` read with the package and without; gives back what the application saw both times."""

    def same_one(platform: str, scenario: str, way: Way) -> Seen:
        def make(key: str) -> Callable[[bool], Any]:
            return lambda is_async: make_client(platform, server, scenario, key, is_async=is_async)

        without = read(way, make(f"{way}-without"))
        with telemetry.instrumented():
            seen = read(way, make(f"{way}-with"))
        assert without == seen
        return seen

    return same_one
