# SPDX-License-Identifier: Apache-2.0
"""Completed needs evidence, with the SDK as the judge.

Bodies of every wire format go through what gateways do to them. A call must be recorded as completed if and only if the
SDK alone, given the same bytes, hands the application a whole answer. Where the package has a reason to differ, the
reason is a row of `disagreements.py`, and of docs/completed.md.

`pytest tests/transparency/test_oracle.py --examples 100000` runs longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from after200.call.ended import EndedCall

from ..support.in_memory.bodies import DELTA, OPENING, START, STOP, chunk, event
from ..support.in_memory.transport import Answer
from .disagreements import DISAGREEMENTS, OF_THE_HELPER, reason_to_differ
from .gateways import answers
from .instrumented import PROFILE, Instrumented
from .oracle import STREAMED, WHOLE, Handed, hand_out, has_beta

FUZZ = settings.get_profile(PROFILE)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@dataclass(frozen=True)
class Case:
    platform: str
    answer: Answer
    texts: str
    surface: str
    beta: bool
    asynchronous: bool
    spans: str
    read_before: bool = False


@st.composite
def cases(draw: st.DrawFn, platform: str) -> Case:
    stream = draw(st.integers(0, 2)) > 0
    answer, texts = draw(answers(frames=platform == "AnthropicBedrock", stream=stream))
    surface = draw(st.sampled_from(sorted(STREAMED if stream else WHOLE)))
    return Case(
        platform=platform,
        answer=answer,
        texts=texts,
        surface=surface,
        beta=draw(st.booleans()) and has_beta(platform, surface),
        asynchronous=draw(st.booleans()),
        spans=draw(st.sampled_from(["own", "annotate"])),
        read_before=draw(st.integers(0, 5)) == 5,
    )


def compare(case: Case, instrumented: Instrumented) -> None:
    """Has the SDK read the body without the package, which judges, and with it."""
    options = instrumented.client_options(traced=case.spans == "annotate")
    read = {"beta": case.beta, "asynchronous": case.asynchronous, "read_before": case.read_before, **options}
    alone = hand_out(case.platform, case.answer, case.surface, **read)
    ended: list[EndedCall] = []
    with instrumented(case.spans, on_call_end=ended.append):
        handed = hand_out(case.platform, case.answer, case.surface, **read)
        instrumented.meter_provider.force_flush()
    for entry in alone.seen:
        note(str(entry))
    assert alone.seen == handed.seen
    [call] = ended
    note(str(call.verdict))
    recorded = call.verdict.outcome == "completed"
    if recorded != alone.whole:
        # Nothing but a stream comes in frames.
        platform = case.platform if case.surface in STREAMED else "Anthropic"
        looped = hand_out(platform, case.answer, "create", **read)
        assert reason_to_differ(alone, looped, case.texts, recorded=recorded) is not None
    instrumented.check()


EVENTS = (event(START), event(OPENING), event(chunk("word")), event(DELTA), event(STOP, "message"))
RENAMED_END = Case(
    platform="Anthropic",
    answer=Answer(EVENTS),
    texts=b"".join(EVENTS).decode(),
    surface="whole",
    beta=False,
    asynchronous=False,
    spans="own",
)
"""An end event of another name, in answer to a call that does not stream: found once among thousands of others."""

BROKEN = (event(START)[:-3] + b"\n\n", *EVENTS[1:])
BROKEN_BEGINNING = replace(
    RENAMED_END, answer=Answer(BROKEN), texts=b"".join(BROKEN).decode(), surface="create", read_before=True
)
"""A first event whose last brace is lost, in a body that a hook has read whole before the SDK parses it."""

EVENTS_FOR_FRAMES = replace(RENAMED_END, platform="AnthropicBedrock", surface="create", read_before=True)
"""Events in answer to a stream on Bedrock, which comes in frames, in a body that a hook has read whole."""

UNORDERED = (event(START), event(DELTA), event({"type": "content_block_stop", "index": 0}))
LEFT_BY_THE_HELPER = replace(
    RENAMED_END, answer=Answer(UNORDERED), texts=b"".join(UNORDERED).decode(), surface="helper"
)
"""A block that ends and never began, after the stop reason: the helper raises, and leaves the stream."""

NO_TEXT = replace(RENAMED_END, answer=Answer((b"b):\xff\xef\xb6\x11",)), texts="", surface="create")
"""Bytes that are no UTF-8, as a decoder of gzip gives them for a body that is none: the SDK cannot decode them."""

CUT_IN_A_CHARACTER = replace(
    NO_TEXT,
    answer=Answer((event(START), event(OPENING), 'event: content_block_delta\ndata: {"delta": "你'.encode()[:-1])),
)
"""Events that end inside a character, for which the SDK raises once the body is at its end."""


@FUZZ
@example(case=RENAMED_END)
@example(case=BROKEN_BEGINNING)
@example(case=LEFT_BY_THE_HELPER)
@given(case=cases("Anthropic"))
def test_a_call_is_completed_if_and_only_if_the_sdk_hands_out_an_answer(case: Case, instrumented: Instrumented) -> None:
    compare(case, instrumented)


@FUZZ
@example(case=EVENTS_FOR_FRAMES)
@given(case=cases("AnthropicBedrock"))
def test_a_call_on_bedrock_is_completed_if_and_only_if_the_sdk_hands_out_an_answer(
    case: Case, instrumented: Instrumented
) -> None:
    compare(case, instrumented)


@pytest.mark.variants(covers=lambda platform: ["the record"])
@pytest.mark.parametrize("platform", ["Anthropic", "AnthropicBedrock"])
def test_the_record_is_the_same_in_both_span_modes_in_sync_and_async_and_in_every_way_of_reading(
    platform: str, instrumented: Instrumented
) -> None:
    @FUZZ
    @example(case=replace(NO_TEXT, platform=platform))
    @example(case=replace(CUT_IN_A_CHARACTER, platform=platform))
    @given(case=cases(platform))
    def compare_records(case: Case) -> None:
        expected, first = record(case, instrumented)
        others = [replace(case, asynchronous=not case.asynchronous)]
        others += [replace(each, spans="annotate" if case.spans == "own" else "own") for each in (case, *others)]
        others += [replace(case, surface=surface) for surface in STREAMED if case.surface in STREAMED]
        for other in others:
            found, handed = record(other, instrumented)
            # A helper that gives up leaves the stream, and has not read it to its end as the others have.
            if gave_up(first) == gave_up(handed):
                assert expected == found, other
        instrumented.check()

    compare_records()


def gave_up(handed: Handed) -> bool:
    return isinstance(handed.exception, OF_THE_HELPER)


def record(case: Case, instrumented: Instrumented) -> tuple[tuple[Any, ...], Handed]:
    """What is recorded of a call, and what the application got.

    Without the class of the exception: under the SDK's own tracing, none passes where a body cannot be decoded.
    """
    options = instrumented.client_options(traced=case.spans == "annotate")
    beta = case.beta and has_beta(case.platform, case.surface)
    read = {"beta": beta, "asynchronous": case.asynchronous, "read_before": case.read_before, **options}
    ended: list[EndedCall] = []
    with instrumented(case.spans, on_call_end=ended.append):
        handed = hand_out(case.platform, case.answer, case.surface, **read)
        instrumented.meter_provider.force_flush()
    [call] = ended
    verdict = call.verdict._replace(exception_type=None)
    return (verdict, call.message, call.chunks, call.wire_status, call.server_tool_errors), handed


def test_the_documentation_has_each_disagreement_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs/completed.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")][1:]
    assert {row: completed for row, (completed, _) in DISAGREEMENTS.items()} == {
        what: recorded.startswith("completed") for what, _, recorded, _ in rows
    }
