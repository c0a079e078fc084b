# SPDX-License-Identifier: Apache-2.0
"""What instrumenting does to the SDK, and that uninstrumenting puts back the very objects that were there."""

from __future__ import annotations

import logging
import sys
from types import ModuleType
from typing import Any

import anthropic
import pytest
import wrapt

from after200 import AnthropicInstrumentor
from after200.faults import FaultServer
from after200.hooks.sdk.targets import targets
from after200.settings import Settings
from after200.signals import Signals

from ..support.streams.application import Application
from ..support.streams.surfaces import REQUEST, SURFACE_OF
from ..support.telemetry import Telemetry, described
from .processes import Run

CREATE = SURFACE_OF["messages.create(stream=True)"]
Snapshot = dict[tuple[str, str], Any]


def snapshot() -> Snapshot:
    """Every attribute of every module and class of the SDK that is loaded: the very objects."""
    found: Snapshot = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "anthropic" and isinstance(module, ModuleType):
            for attribute, value in list(vars(module).items()):
                found[name, attribute] = value
                # The SDK says of the classes that it exports that they are from `anthropic` itself.
                if isinstance(value, type) and value.__module__.partition(".")[0] == "anthropic":
                    for inner, member in list(vars(value).items()):
                        if inner != "__slotnames__":  # which Python keeps there when it first copies such an object
                            found[name, f"{attribute}.{inner}"] = member
    return found


def differences(before: Snapshot, after: Snapshot) -> set[tuple[str, str]]:
    """What is not the same object, or is only there in one of the two."""
    missing = object()
    return {key for key in before.keys() | after.keys() if before.get(key, missing) is not after.get(key, missing)}


def patched() -> set[tuple[str, str]]:
    """The targets that the installed SDK has."""
    found = set()
    for target in targets(Signals(Settings()), Settings()):
        if target.module in sys.modules:
            owner: Any = sys.modules[target.module]
            for part in target.path.split("."):
                owner = getattr(owner, part, None)
            if owner is not None:
                found.add((target.module, target.path))
    return found


def test_uninstrumenting_puts_back_the_very_objects(telemetry: Telemetry) -> None:
    before = snapshot()
    with telemetry.instrumented():
        during = snapshot()
    after = snapshot()
    assert set() == differences(before, after)
    expected = patched()
    changed = differences(before, during)
    assert expected <= changed
    # What else looks different is the same class, seen from another module.
    assert {path for _, path in expected} == {path for _, path in changed}
    assert ("anthropic._base_client", "SyncAPIClient.request") in expected
    assert ("anthropic._streaming", "AsyncStream.__stream__") in expected


def test_uninstrumenting_after_calls_puts_back_the_very_objects(application: Application, telemetry: Telemetry) -> None:
    for mode in ("sync", "async"):
        application.play("completed", CREATE, mode)
    before = snapshot()
    with telemetry.instrumented():
        for mode in ("sync", "async"):
            application.play("completed", CREATE, mode)
    assert set() == differences(before, snapshot())


def test_instrumenting_twice_patches_once(
    application: Application, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    before = snapshot()
    with telemetry.instrumented():
        once = snapshot()
        with caplog.at_level(logging.WARNING):
            AnthropicInstrumentor().instrument(skip_dep_check=True)
        assert set() == differences(once, snapshot())
        application.play("completed", CREATE, "sync")
        assert [4] == [described(span)["after200.stream.chunks"] for span in telemetry.spans]
        assert 1 == telemetry.total("after200.calls")
    assert ["Attempting to instrument while already instrumented"] == caplog.messages
    assert set() == differences(before, snapshot())


def test_instrumenting_again_works_like_the_first_time(application: Application) -> None:
    for _ in range(3):
        telemetry = Telemetry()
        with telemetry.instrumented():
            application.play("completed", CREATE, "sync")
        assert ["completed"] == [described(span)["after200.outcome"] for span in telemetry.spans]
        assert 1 == telemetry.total("after200.calls")


def test_uninstrumented_nothing_is_recorded(application: Application, telemetry: Telemetry) -> None:
    with telemetry.instrumented():
        pass
    application.play("completed", CREATE, "sync")
    assert [] == telemetry.spans
    assert {} == telemetry.all_points()


def test_a_patch_over_ours_stays_and_ours_under_it_does_nothing(
    application: Application, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def over(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append("over")
        return wrapped(*args, **kwargs)

    stream = sys.modules["anthropic._streaming"].Stream
    with telemetry.instrumented():
        theirs = wrapt.FunctionWrapper(vars(stream)["__stream__"], over)
        monkeypatch.setattr(stream, "__stream__", theirs)
    assert theirs is vars(stream)["__stream__"]
    application.play("completed", CREATE, "sync")
    assert ["over"] == seen
    assert [] == telemetry.spans


def test_a_patch_of_somebody_else_s_is_put_back(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = sys.modules["anthropic._streaming"].Stream
    theirs = wrapt.FunctionWrapper(vars(stream)["close"], lambda wrapped, instance, args, kwargs: wrapped())
    monkeypatch.setattr(stream, "close", theirs)
    with telemetry.instrumented():
        assert theirs is not vars(stream)["close"]
    assert theirs is vars(stream)["close"]


class Neighbour:
    """Wraps the generator of the events of the wire, as other instrumentations do: it looks, or drops the pings."""

    def __init__(self, *, drops: bool) -> None:
        self.drops = drops
        self.seen: list[str] = []

    def sync(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        for event in wrapped(*args, **kwargs):
            if self._keeps(event):
                yield event

    async def asynchronous(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        async for event in wrapped(*args, **kwargs):
            if self._keeps(event):
                yield event

    def _keeps(self, event: Any) -> bool:
        self.seen.append(event.event)
        return not (self.drops and event.event == "content_block_delta")

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        streaming: Any = sys.modules["anthropic._streaming"]
        for cls, wrapper in ((streaming.Stream, self.sync), (streaming.AsyncStream, self.asynchronous)):
            monkeypatch.setattr(cls, "_iter_events", wrapt.FunctionWrapper(vars(cls)["_iter_events"], wrapper))


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("first", [True, False], ids=["before ours", "after ours"])
def test_a_neighbour_and_the_application_see_what_they_see_without_us(
    first: bool,
    drops: bool,
    mode: str,
    application: Application,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        alone = Neighbour(drops=drops)
        alone.patch(patched)
        without = application.play("completed", CREATE, mode)
    with monkeypatch.context() as patched:
        neighbour = Neighbour(drops=drops)
        if first:
            neighbour.patch(patched)
        with telemetry.instrumented():
            if not first:
                neighbour.patch(patched)
            seen = application.play("completed", CREATE, mode)
    assert without.whole == seen.whole
    assert alone.seen == neighbour.seen
    assert 4 == alone.seen.count("content_block_delta")
    assert ["completed"] == [described(span)["after200.outcome"] for span in telemetry.spans]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_stream_that_is_open_when_its_instrumentation_ends_is_told_of_all_the_same(
    mode: str, application: Application, telemetry: Telemetry
) -> None:
    with telemetry.instrumented():
        if mode == "sync":
            stream: Any = application.client("completed").messages.create(stream=True, **REQUEST)
            next(stream)
        else:
            stream = application.run(application.aclient("completed").messages.create(stream=True, **REQUEST))
            application.run(anext(stream))
    if mode == "sync":
        rest = [event.type for event in stream]
    else:

        async def read() -> list[str]:
            return [event.type async for event in stream]

        rest = application.run(read())
    assert (8, "message_stop") == (len(rest), rest[-1])
    assert ["completed"] == [described(span)["after200.outcome"] for span in telemetry.spans]
    assert (1, 0) == (telemetry.total("after200.calls"), telemetry.total("after200.streams.open"))


def test_a_target_that_the_sdk_lacks_is_named_in_one_warning_and_the_rest_is_patched(
    application: Application,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delattr(anthropic._base_client.BaseClient, "_calculate_retry_timeout")
    for _ in range(2):
        with telemetry.instrumented():
            application.play("completed", CREATE, "sync")
    assert [
        "after200 does not find anthropic._base_client.BaseClient._calculate_retry_timeout in anthropic "
        f"{anthropic.__version__}. Not recorded because of that: lost attempts and retry waits",
    ] == caplog.messages
    assert 2 == telemetry.total("after200.calls")


# --- in processes of their own ---

RECORD = """
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

    class Print(SpanExporter):
        def export(self, spans):
            for span in spans:
                print(span.attributes["after200.outcome"], span.attributes.get("error.type"), flush=True)

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Print()))
"""
INSTRUMENT = """
    from after200 import AnthropicInstrumentor
    AnthropicInstrumentor().instrument(tracer_provider=provider, spans="own")
"""
CLIENT = """
    import anthropic
    client = anthropic.Anthropic(api_key="none")
"""
CALL = """
    try:
        list(client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}], stream=True))
    except anthropic.APIStatusError:
        pass
"""


@pytest.mark.parametrize(
    "program",
    [RECORD + INSTRUMENT + CLIENT + CALL, RECORD + CLIENT + INSTRUMENT + CALL],
    ids=["before the import", "after it, for a client that exists already"],
)
def test_the_order_of_instrumenting_and_importing_does_not_matter(program: str, server: FaultServer, run: Run) -> None:
    url = server.base_url("overloaded_error_mid_stream")
    assert "failed overloaded_error\n" == run(program, fresh=True, ANTHROPIC_BASE_URL=url)


def test_a_process_that_never_imports_the_sdk_pays_nothing_for_it(run: Run) -> None:
    program = """
        import sys
        from after200 import AnthropicInstrumentor

        AnthropicInstrumentor().instrument()
        AnthropicInstrumentor().uninstrument()
        AnthropicInstrumentor().instrument()
        print([name for name in ("anthropic", "httpx", "httpx2", "pydantic", "botocore") if name in sys.modules])
    """
    assert "[]\n" == run(program, fresh=True)


def test_uninstrumenting_before_the_import_leaves_the_sdk_alone(server: FaultServer, run: Run) -> None:
    off = "\n    AnthropicInstrumentor().uninstrument()\n"
    program = (
        RECORD + INSTRUMENT + off + CLIENT + CALL + "\n    print(type(anthropic._streaming.Stream.close).__name__)"
    )
    assert "function\n" == run(program, fresh=True, ANTHROPIC_BASE_URL=server.base_url("completed"))


def test_a_stream_that_is_open_when_the_process_exits_is_abandoned(server: FaultServer, run: Run) -> None:
    open_stream = """
    stream = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}], stream=True)
    next(stream)
    """
    program = RECORD + INSTRUMENT + CLIENT + open_stream
    assert "abandoned None\n" == run(program, ANTHROPIC_BASE_URL=server.base_url("completed"))


@pytest.mark.skipif(not hasattr(sys.modules["os"], "fork"), reason="this system has no fork")
def test_a_stream_that_is_open_at_a_fork_is_the_parent_s(server: FaultServer, run: Run) -> None:
    fork = """
    import gc, os
    stream = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}], stream=True)
    next(stream)
    child = os.fork()
    if not child:
        del stream
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    print("the child is gone", flush=True)
    list(stream)
    """
    program = RECORD + INSTRUMENT + CLIENT + fork
    url = server.base_url("completed")
    assert "the child is gone\ncompleted None\n" == run(program, ANTHROPIC_BASE_URL=url)
