# SPDX-License-Identifier: Apache-2.0
"""The same call twice, without the package and with it: the application and its transport must see the same.

`pytest tests/transparency --examples 100000` runs longer; a failing example is printed as code that can be run again.
"""

from __future__ import annotations

import gc
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from ..support.in_memory.application import Step, arun, run
from ..support.in_memory.bodies import frame_chunks, sse_chunks, whole_bodies
from ..support.in_memory.trace import Trace
from ..support.in_memory.transport import BREAKS, Answer, Transport, client
from .instrumented import PROFILE, Instrumented

FUZZ = settings.get_profile(PROFILE)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LOOPS = ["some", "some", "loop", "loop", "rest", "keep_iterator", "throw", "close_iterator"]
WHOLE = ["text", "final_message", "final_text", "until_done", "snapshot"]
RAW = ["lines", "data", "pieces", "characters", "raw", "read_body", "json", "parse"]
ENDING = ["close", "close_response", "leave", "leave_raising", "drop", "collect", "look"]

READING = {
    "create": [*LOOPS, "raw"],
    "helper": [*LOOPS, *WHOLE],
    "streaming response": RAW,
    "raw response": ["parse"],
    "whole": ["look"],
}
"""What an application is likely to do first, by kind of surface."""

THEN = {
    "create": [*LOOPS, "raw", *ENDING],
    "helper": [*LOOPS, *WHOLE, *ENDING],
    "streaming response": [*RAW, *LOOPS, *ENDING],
    "raw response": [*LOOPS, *LOOPS, *ENDING],
    "whole": ["look"],
}
"""What it may do after that."""


@dataclass(frozen=True)
class Case:
    """One call: what is answered, over which surface, and what the application does."""

    platform: str
    answer: Answer
    surface: str
    steps: tuple[Step, ...]
    asynchronous: bool
    spans: str
    abrupt: bool = False


WHOLE_BODY = ("application/json", whole_bodies.map(lambda body: (body,)))
STREAMS = {
    "Anthropic": ("text/event-stream; charset=utf-8", sse_chunks),
    "AnthropicBedrock": ("application/vnd.amazon.eventstream", frame_chunks),
}
ENCODINGS = {
    "identity": lambda data: data,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "br": lambda data: data,
}


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """`usual` nine times of ten."""
    return st.integers(0, 9).flatmap(lambda dice: st.sampled_from(others) if dice == 9 else st.just(usual))


@st.composite
def answers(draw: st.DrawFn, platform: str, whole: bool, asynchronous: bool) -> Answer:
    content, bodies = WHOLE_BODY if whole else STREAMS[platform]
    chunks = draw(bodies)
    headers = {
        "content-type": draw(mostly(content, "text/html", "text/event-stream; charset=x")),
        "request-id": "req_1",
    }
    encoding = draw(mostly(None, *ENCODINGS))
    if encoding is not None:
        headers["content-encoding"] = encoding
        chunks = (ENCODINGS[encoding](b"".join(chunks)),)
    # In a task, a `SystemExit` goes past everybody and stops the event loop.
    breaks = draw(mostly(None, *(name for name in BREAKS if name != "exit" or not asynchronous)))
    answer = Answer(chunks, draw(mostly(200, 201, 204, 400, 404, 429, 500, 529)), headers, breaks)
    if asynchronous and draw(st.integers(0, 3)) == 3:
        place = draw(st.integers(0, max(len(chunks) - 1, 0)))
        answer = replace(answer, hangs_at=place, hangs_on_close=draw(st.booleans()))
    return answer


@st.composite
def cases(draw: st.DrawFn, platform: str) -> Case:
    kind = draw(
        st.sampled_from(["create", "helper", "streaming response", "raw response", "create", "helper", "whole"])
    )
    asynchronous = draw(st.booleans())
    first = st.builds(Step, st.sampled_from(READING[kind]), st.integers(1, 9))
    then = st.builds(Step, st.sampled_from(THEN[kind]), st.integers(1, 5))
    return Case(
        platform=platform,
        answer=draw(answers(platform, kind == "whole", asynchronous)),
        surface=f"{draw(st.sampled_from(['messages', 'beta']))} {kind}",
        steps=(draw(first), *draw(st.lists(then, max_size=4))),
        asynchronous=asynchronous,
        spans=draw(st.sampled_from(["own", "annotate", "auto", "none"])),
        abrupt=draw(st.booleans()),
    )


def watch(case: Case, options: dict[str, Any]) -> Trace:
    """What happens in `case`."""
    trace: Trace = []
    transport = Transport(case.answer, trace)
    with_client = client(case.platform, transport, case.asynchronous, **options)
    gc.disable()  # Else when a cycle is found would depend on how many objects were made.
    try:
        if case.asynchronous:
            arun(case.surface, list(case.steps), with_client, transport, trace, case.abrupt)
        else:
            run(case.surface, list(case.steps), with_client, trace)
        trace.append(("collected",))
        del transport, with_client
        gc.collect(1)
    finally:
        gc.enable()
    return trace


@pytest.fixture(scope="module", autouse=True)
def warm_up() -> Iterator[None]:
    """What the first calls import and cache is no part of any example, and need not be searched for garbage."""
    for platform in STREAMS:
        for surface in READING:
            for asynchronous in (False, True):
                watch(Case(platform, Answer((b"",)), f"messages {surface}", (), asynchronous, "none"), {})
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def compare(case: Case, instrumented: Instrumented) -> None:
    """Has `case` happen without the package and with it."""
    options = instrumented.client_options(traced=case.spans in ("annotate", "auto"))
    without = watch(case, options)
    with instrumented(case.spans):
        with_package = watch(case, options)
    for entry in without:
        note(str(entry))
    assert without == with_package
    instrumented.check()


@FUZZ
@given(case=cases("Anthropic"))
def test_an_application_sees_with_the_package_what_it_sees_without(case: Case, instrumented: Instrumented) -> None:
    compare(case, instrumented)


@FUZZ
@given(case=cases("AnthropicBedrock"))
def test_an_application_on_bedrock_sees_with_the_package_what_it_sees_without(
    case: Case, instrumented: Instrumented
) -> None:
    compare(case, instrumented)
