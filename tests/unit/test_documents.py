# SPDX-License-Identifier: Apache-2.0
"""A body that is one JSON document, in bounded memory, however it is cut into pieces."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from after200.call.documents import KEPT_WHOLE, LONG, MAX_KEPT, Document, LongStrings
from after200.call.facts import Facts, ProviderError

from ..support.held import held
from .calls import MESSAGE, OVERLOADED, known

# Strings around the limit, with everything that a JSON string can have in it: quotes, backslashes, other scripts.
CHARACTERS = st.sampled_from(['"', "\\", "x", "\n", "é", "😀", "\u2028", "/", "{", "}", ":", ","])
SHORT_STRINGS = st.lists(CHARACTERS, max_size=6).map("".join)
STRINGS = SHORT_STRINGS | st.builds(
    lambda text, times, more: text * times + more, SHORT_STRINGS, st.integers(LONG // 8, LONG), SHORT_STRINGS
)
LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | STRINGS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SHORT_STRINGS, inner, max_size=4), max_leaves=8
)


def without_long_strings(value: Any, *, ensure_ascii: bool) -> Any:
    """Returns `value` with every string blanked that takes more than `LONG` bytes in its JSON."""
    if isinstance(value, str):
        return " " if len(json.dumps(value, ensure_ascii=ensure_ascii).encode()) - 2 > LONG else value
    if isinstance(value, list):
        return [without_long_strings(entry, ensure_ascii=ensure_ascii) for entry in value]
    if isinstance(value, dict):
        return {key: without_long_strings(entry, ensure_ascii=ensure_ascii) for key, entry in value.items()}
    return value


def blanked(body: bytes, cuts: list[int]) -> bytes:
    edges = [0, *sorted(cuts), len(body)]
    strings = LongStrings()
    return b"".join(strings.blanked(body[start:end]) for start, end in pairwise(edges))


def judged(body: bytes, *, stream: bool, size: int = 4096) -> list[Facts]:
    document = Document("message", stream=stream)
    for at in range(0, len(body), size):
        document.add(body[at : at + size])
    return list(document.judge())


@given(value=VALUES, ensure_ascii=st.booleans(), cuts=st.data())
def test_a_blanked_text_is_the_same_json_without_its_long_strings(
    value: Any, ensure_ascii: bool, cuts: st.DataObject
) -> None:
    body = json.dumps(value, ensure_ascii=ensure_ascii).encode()
    places = cuts.draw(st.lists(st.integers(0, len(body)), max_size=12))
    assert without_long_strings(value, ensure_ascii=ensure_ascii) == json.loads(blanked(body, places))


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_a_blanked_text_is_the_same_wherever_it_is_cut(ensure_ascii: bool) -> None:
    value = {'a"\\': 'short \\" é😀', "long": '"\\' * LONG + "é", "list": ["\\" * (LONG // 2), "\\" * LONG, "", 7]}
    body = json.dumps(value, ensure_ascii=ensure_ascii).encode()
    expected = json.dumps(without_long_strings(value, ensure_ascii=ensure_ascii), ensure_ascii=ensure_ascii).encode()
    assert {'a"\\': 'short \\" é😀', "long": " ", "list": ["\\" * (LONG // 2), " ", "", 7]} == json.loads(expected)
    for cut in range(len(body) + 1):
        assert expected == blanked(body, [cut]), cut
    assert expected == blanked(body, list(range(len(body))))


def test_a_string_of_the_longest_length_is_kept_and_one_more_byte_is_not() -> None:
    assert b'["' + b"x" * LONG + b'"]' == blanked(b'["' + b"x" * LONG + b'"]', [])
    assert b'[" "]' == blanked(b'["' + b"x" * (LONG + 1) + b'"]', [])


MEGABYTE = 1 << 20
LONG_TEXT = 'x "quoted" \\ é ' * (MEGABYTE // 8)
WITHOUT_CONTENT = {name: value for name, value in MESSAGE.items() if name != "content"}
LARGE: dict[str, tuple[Any, dict[str, Any]]] = {
    "a message with a long text before its usage": (
        {**MESSAGE, "content": [{"type": "text", "text": LONG_TEXT}], "usage": {"output_tokens": 9}},
        {"id": "msg_1", "model": "claude-answering", "stop_reason": "end_turn", "content": True, "output": 9},
    ),
    "a message whose facts come last": (
        {"content": [{"type": "image", "data": "A" * 3 * MEGABYTE}], **WITHOUT_CONTENT},
        {
            "id": "msg_1",
            "model": "claude-answering",
            "stop_reason": "end_turn",
            "content": True,
            "input": 3,
            "output": 7,
        },
    ),
    "an error after a long string": (
        {"debug": LONG_TEXT, **OVERLOADED},
        {"error": ProviderError("overloaded_error", "Overloaded")},
    ),
    "something else": ({"debug": LONG_TEXT, "ok": True}, {"malformed": True}),
}


@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize("size", [997, 65536, 8 * MEGABYTE])
@pytest.mark.parametrize("body", LARGE)
def test_a_body_of_many_megabytes_says_the_same_as_a_small_one(body: str, size: int, ensure_ascii: bool) -> None:
    value, expected = LARGE[body]
    text = json.dumps(value, ensure_ascii=ensure_ascii).encode()
    assert len(text) > MEGABYTE
    answer = {} if "error" in expected or "malformed" in expected else {"answer": True}
    assert {**expected, **answer} == known(judged(text, stream=False, size=size))


def test_a_message_that_is_too_large_without_its_long_strings_is_judged_by_its_beginning() -> None:
    blocks = [{"type": "text", "text": f"block {number}"} for number in range(80_000)]
    text = json.dumps({**MESSAGE, "content": blocks}).encode()
    assert len(text) > MAX_KEPT
    assert {"answer": True} == known(judged(text, stream=False))
    assert {"malformed": True} == known(judged(text, stream=True))
    assert {"malformed": True} == known(judged(json.dumps({"rows": blocks}).encode(), stream=False))


@pytest.mark.parametrize(
    "endless", [b"x", b'"', b'"x', b"\\", b'"\\', b'{"a":"' + b"x" * 600 + b'",', b"data: x\n", b"\n"], ids=repr
)
def test_no_body_is_kept_without_bounds(endless: bytes) -> None:
    document = Document("message", stream=True)
    piece = (endless * (KEPT_WHOLE // len(endless) + 1))[: KEPT_WHOLE - 1]
    for _ in range(64):
        document.add(piece)
        assert held(document) <= 1.2 * MAX_KEPT + 2 * len(piece)
    list(document.judge())


@given(body=st.binary(max_size=300), size=st.integers(1, 50), stream=st.booleans())
def test_no_body_makes_a_document_raise(body: bytes, size: int, stream: bool) -> None:
    judged(body, stream=stream, size=size)


# --- rules 4 and 5 of section 2 of the contract ---

WHOLE_MESSAGE = json.dumps(MESSAGE).encode()
ERROR = json.dumps(OVERLOADED).encode()
IS_OVERLOADED = {"error": ProviderError("overloaded_error", "Overloaded")}


@pytest.mark.parametrize(
    ("body", "whole", "streamed"),
    [
        (b'{"type":"message"}', {"answer": True}, {"malformed": True}),
        (b'{"content":[]}', {"answer": True}, {"malformed": True}),
        (b'\xef\xbb\xbf{"content":[]}', {"answer": True}, {"malformed": True}),
        (b'{"completion":"Hi"}', {"malformed": True}, {"malformed": True}),
        (b'{"content":"Hi"}', {"malformed": True}, {"malformed": True}),
        (b'{"type":"message_batch"}', {"malformed": True}, {"malformed": True}),
        (b"{}", {"malformed": True}, {"malformed": True}),
        (b"[]", {"malformed": True}, {"malformed": True}),
        (b"null", {"malformed": True}, {"malformed": True}),
        (b"7", {"malformed": True}, {"malformed": True}),
        (ERROR, IS_OVERLOADED, IS_OVERLOADED),
        (b'{"error":{"type":"overloaded_error","message":"Overloaded"}}', IS_OVERLOADED, IS_OVERLOADED),
        (b'{"type":"overloaded_error","message":"Overloaded"}', IS_OVERLOADED, IS_OVERLOADED),
        (b'{"completion":"","error":{"type":"overloaded_error","message":"Overloaded"}}', IS_OVERLOADED, IS_OVERLOADED),
        (b"\n\n" + ERROR + b"\n\n", IS_OVERLOADED, IS_OVERLOADED),
        # An error in a line of its own, as a proxy adds it to what came before.
        (b"upstream failed\n" + ERROR, IS_OVERLOADED, IS_OVERLOADED),
        (ERROR + b"\n" + b'{"error":{"type":"api_error"}}', IS_OVERLOADED, IS_OVERLOADED),
        # Text in which no line begins like a line of an event stream.
        (b"<html>\n<body>Bad gateway", {"malformed": True}, {"malformed": True}),
        (b"\xff\xfe\x00", {"malformed": True}, {"malformed": True}),
        (b'{"type":"mess', {"malformed": True}, {"malformed": True}),
        (b"database: down", {"malformed": True}, {"malformed": True}),
        # The beginning of an event stream, and nothing at all: a stream that was cut.
        (b"event: message_start\nda", {"malformed": True}, {}),
        (b"event", {"malformed": True}, {}),
        (b"data:", {"malformed": True}, {}),
        (b": a comment", {"malformed": True}, {}),
        (b"retry: 3\n", {"malformed": True}, {}),
        (b"id", {"malformed": True}, {}),
        (b"", {"malformed": True}, {}),
        (b" \n ", {"malformed": True}, {}),
    ],
    ids=repr,
)
def test_a_body_without_events_is_judged_by_its_bytes(
    body: bytes, whole: dict[str, Any], streamed: dict[str, Any]
) -> None:
    for size in (1, 7, 4096):
        assert whole == known(judged(body, stream=False, size=size))
        assert streamed == known(judged(body, stream=True, size=size))


def test_a_whole_message_is_no_answer_to_a_stream_s_request_but_what_it_says_is_kept() -> None:
    said = {
        "id": "msg_1",
        "model": "claude-answering",
        "stop_reason": "end_turn",
        "content": True,
        "input": 3,
        "output": 7,
    }
    assert {**said, "answer": True} == known(judged(WHOLE_MESSAGE, stream=False))
    assert {**said, "malformed": True} == known(judged(WHOLE_MESSAGE, stream=True))
