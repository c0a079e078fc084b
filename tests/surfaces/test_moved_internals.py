# SPDX-License-Identifier: Apache-2.0
"""An SDK whose internals have moved: the application is untouched, the rest is patched, one warning names the target.

Every target that each supported version has is moved away once: it goes on working for the SDK under its old name, and
a look at the class no longer finds it.
"""

from __future__ import annotations

import gc
import importlib
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import anthropic
import pytest
import wrapt

from after200.faults import FaultServer
from after200.hooks.patches import Target
from after200.hooks.sdk.targets import targets
from after200.settings import Settings
from after200.signals import Signals

from ..support.platforms.clients import REQUEST, make_client
from ..support.platforms.readers import RAW, STREAMED, WHOLE, Seen, Way, read
from ..support.telemetry import Telemetry, described

TARGETS = [target for target in targets(Signals(Settings()), Settings()) if target.required]


def owner(target: Target) -> Any:
    """The class that the target is an attribute of."""
    return getattr(importlib.import_module(target.module), target.path.partition(".")[0])


@contextmanager
def moved(target: Target) -> Iterator[None]:
    """An SDK that has this method elsewhere: its own calls find it, whoever looks at the class does not."""
    cls, name = owner(target), target.path.partition(".")[2]
    original = vars(cls)[name]
    missing = object()
    before = vars(cls).get("__getattr__", missing)

    def find(self: Any, attribute: str) -> Any:
        if attribute == name:
            return original.__get__(self)
        raise AttributeError(attribute)

    delattr(cls, name)
    cls.__getattr__ = find
    try:
        yield
    finally:
        setattr(cls, name, original)
        if before is missing:
            del cls.__getattr__
        else:
            cls.__getattr__ = before


def collect(telemetry: Telemetry) -> None:
    """Frees what up to 1.13 is in a cycle: a stream that is left alone, and its generator."""
    if telemetry.open_spans:
        gc.collect()


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """The warnings of the package."""
    return [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "after200"]


def warning(target: Target) -> tuple[str, str]:
    return (
        "WARNING",
        f"after200 does not find {target.module}.{target.path} in anthropic {anthropic.__version__}. "
        f"Not recorded because of that: {target.loses}",
    )


CALLS: dict[str, list[tuple[Way, str]]] = {
    "anthropic": [
        *((way, "completed") for way in (*STREAMED, RAW[0], *WHOLE)),
        *((way, "overloaded_error_mid_stream") for way in (STREAMED[0], STREAMED[2], RAW[1])),
        *((way, "http_529") for way in (STREAMED[0], WHOLE[1])),
    ],
    "bedrock": [
        *((way, "completed") for way in (STREAMED[0], STREAMED[3], RAW[0])),
        *((way, "bedrock_throttlingException_mid") for way in (STREAMED[0], STREAMED[2], RAW[1])),
    ],
}


def look(server: FaultServer, target: Target, key: str) -> list[Seen]:
    """What the application sees of calls that meet the target."""
    platform = "bedrock" if "bedrock" in target.module else "anthropic"

    def make(scenario: str) -> Any:
        return lambda is_async: make_client(platform, server, scenario, key, is_async=is_async)

    return [read(way, make(scenario)) for way, scenario in CALLS[platform]]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.path)
def test_the_application_is_untouched_and_one_warning_names_what_is_missing(
    target: Target, server: FaultServer, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    without = look(server, target, "without")
    with moved(target), telemetry.instrumented():
        assert without == look(server, target, "with")
        collect(telemetry)
    assert [warning(target)] == said(caplog)
    assert [] == telemetry.open_spans
    assert 0 == telemetry.total("after200.streams.open")


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.path)
def test_everything_else_is_patched_and_restored(target: Target, telemetry: Telemetry) -> None:
    others = [other for other in TARGETS if other is not target]

    def found() -> list[Any]:
        return [vars(owner(other))[other.path.partition(".")[2]] for other in others]

    with moved(target):
        before = found()
        with telemetry.instrumented():
            assert all(isinstance(method, wrapt.FunctionWrapper) for method in found())
        assert all(now is then for now, then in zip(found(), before, strict=True))


OUTCOMES = {
    "completed": ("completed", None),
    "overloaded_error_mid_stream": ("failed", "overloaded_error"),
    "end_without_message_stop": ("truncated", "stream_truncated"),
}
"""What is known of a call whichever one of the targets is missing, as long as it is seen to begin."""

SEEN_TO_BEGIN = [target for target in TARGETS if not target.path.endswith(".request")]


@pytest.mark.parametrize("scenario", OUTCOMES)
@pytest.mark.parametrize("target", SEEN_TO_BEGIN, ids=lambda target: target.path)
def test_what_remains_still_tells_how_a_call_ended(
    target: Target, scenario: str, server: FaultServer, telemetry: Telemetry
) -> None:
    ways = (STREAMED[0], STREAMED[3], RAW[0], RAW[1], *(WHOLE if scenario == "completed" else ()))
    with moved(target), telemetry.instrumented():
        for way in ways:
            read(way, lambda is_async: make_client("anthropic", server, scenario, "moved", is_async=is_async))
        collect(telemetry)
    recorded = {way.name: OUTCOMES[scenario] for way in ways}
    found = [described(span) for span in telemetry.spans]
    assert list(recorded.values()) == [(span["after200.outcome"], span.get("error.type")) for span in found]


def test_a_module_that_is_gone_is_named_too(
    monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delitem(sys.modules, "anthropic._streaming")
    gone = [target for target in TARGETS if target.module == "anthropic._streaming"]
    with telemetry.instrumented():
        assert isinstance(vars(anthropic._base_client.SyncAPIClient)["request"], wrapt.FunctionWrapper)
    assert [warning(target) for target in gone] == said(caplog)


def test_an_sdk_that_is_nothing_like_it_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, server: FaultServer, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    for module in {target.module for target in targets(Signals(Settings()), Settings())}:
        monkeypatch.setitem(sys.modules, module, ModuleType(module))
    with telemetry.instrumented():
        client = make_client("anthropic", server, "completed", "strange")
        assert "end_turn" == client.messages.create(**REQUEST).stop_reason
    assert sorted(warning(target) for target in TARGETS) == sorted(said(caplog))
    assert [] == telemetry.spans


def test_nothing_is_said_of_the_installed_version(telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "after200"), telemetry.instrumented():
        pass
    assert [] == said(caplog)
