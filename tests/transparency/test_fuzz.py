# SPDX-License-Identifier: Apache-2.0
"""The same call twice, without the package and with it: the application and its transport must see the same.

`pytest tests/transparency --examples 100000` runs longer; a failing example is printed as code that can be run again.
"""

from __future__ import annotations

import gc
import gzip
import zlib
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from .application import Step, arun, run
from .bodies import sse_chunks, whole_bodies
from .conftest import PROFILE, Instrumented
from .trace import Trace
from .transport import BREAKS, Answer, Transport, client

ITERATING = ["some", "loop", "rest", "keep_iterator", "throw", "close_iterator"]
ENDING = ["close", "close_response", "leave", "leave_raising", "drop", "collect", "look"]
RAW = ["lines", "data", "pieces", "characters", "raw", "read_body", "json", "parse"]
STEPS = {
    "create": [*ITERATING, *ENDING, "raw"],
    "helper": [*ITERATING, *ENDING, "text", "final_message", "final_text", "until_done", "snapshot"],
    "streaming response": [*RAW, *RAW, *ITERATING, *ENDING],
    "raw response": ["parse", "parse", "parse", *ITERATING, *ENDING],
    "whole": ["look"],
}


@dataclass(frozen=True)
class Case:
    """One call: what is answered, over which surface, and what the application does."""

    answer: Answer
    surface: str
    steps: tuple[Step, ...]
    asynchronous: bool
    spans: str


ENCODINGS = {"identity": lambda data: data, "gzip": gzip.compress, "deflate": zlib.compress, "br": lambda data: data}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from([*STEPS, "create", "helper"]))
    asynchronous = draw(st.booleans())
    chunks = (draw(whole_bodies),) if kind == "whole" else draw(sse_chunks)
    content = "application/json" if kind == "whole" else "text/event-stream; charset=utf-8"
    headers = {"content-type": draw(st.sampled_from([content] * 9 + ["text/html"])), "request-id": "req_1"}
    encoding = draw(st.sampled_from(["identity"] * 9 + list(ENCODINGS)))
    if encoding != "identity":
        headers["content-encoding"] = encoding
        chunks = (ENCODINGS[encoding](b"".join(chunks)),)
    answer = Answer(
        chunks,
        status=draw(st.sampled_from([200] * 12 + [201, 204, 400, 404, 429, 500, 529])),
        headers=headers,
        # In a task, a `SystemExit` goes past everybody and stops the event loop.
        breaks=draw(st.sampled_from([None] * 12 + [name for name in BREAKS if name != "exit" or not asynchronous])),
    )
    if asynchronous and draw(st.integers(0, 3)) == 0:
        answer = replace(
            answer, hangs_at=draw(st.integers(0, max(len(chunks) - 1, 0))), hangs_on_close=draw(st.booleans())
        )
    steps = st.builds(Step, st.sampled_from(STEPS[kind]), st.integers(1, 5))
    return Case(
        answer=answer,
        surface=f"{draw(st.sampled_from(['messages', 'messages', 'beta']))} {kind}",
        steps=tuple(draw(st.lists(steps, max_size=5))),
        asynchronous=asynchronous,
        spans=draw(st.sampled_from(["own", "annotate", "auto", "none"])),
    )


def watch(case: Case, options: dict[str, Any]) -> Trace:
    """What happens in `case`."""
    trace: Trace = []
    transport = Transport(case.answer, trace)
    with_client = client(transport, case.asynchronous, **options)
    gc.disable()  # Else when a cycle is found would depend on how many objects were made.
    try:
        if case.asynchronous:
            arun(case.surface, list(case.steps), with_client, transport, trace)
        else:
            run(case.surface, list(case.steps), with_client, trace)
        trace.append(("collected",))
        del transport, with_client
        gc.collect()
    finally:
        gc.enable()
    return trace


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings.get_profile(PROFILE)
@given(case=cases())
def test_an_application_sees_with_the_package_what_it_sees_without(case: Case, instrumented: Instrumented) -> None:
    options = instrumented.client_options(traced=case.spans in ("annotate", "auto"))
    without = watch(case, options)
    with instrumented(case.spans):
        with_package = watch(case, options)
    for entry in without:
        note(str(entry))
    assert without == with_package
    instrumented.check()
