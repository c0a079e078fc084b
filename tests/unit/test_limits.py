# SPDX-License-Identifier: Apache-2.0
"""The bounds on what comes from outside."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from after200.call.limits import (
    MAX_COUNT,
    MAX_NAME,
    MAX_TEXT,
    DistinctNames,
    clean_count,
    clean_name,
    clean_text,
    looks_like_a_type,
)

from ..support.patience import PATIENCE_S


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("  around  ", "around"),
        ("two\nlines", "two lines"),
        ("a\r\n\r\nb", "a b"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("nul\x00", "nul"),
        ("next\x85line\u2028para\u2029", "next line para"),
        ("Überlastet 😀", "Überlastet 😀"),
        ("\u202eturned\u2069 round", "turned  round"),
        ("half \ud83d of one", "half   of one"),
        ("", None),
        (" \n\t ", None),
        (None, None),
        (7, None),
        (b"bytes", None),
        (["list"], None),
        ("x" * MAX_TEXT, "x" * MAX_TEXT),
        ("x" * (MAX_TEXT + 1), "x" * (MAX_TEXT - 1) + "…"),
        ("x" * 10_000_000, "x" * (MAX_TEXT - 1) + "…"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_text_is_one_line_of_a_sane_length(value: object, expected: str | None) -> None:
    assert expected == clean_text(value)


@given(st.text())
def test_no_text_has_an_end_of_line_or_more_than_its_length(value: str) -> None:
    line = clean_text(value, 50)
    assert line is None or (0 < len(line) <= 50 and len(line.splitlines()) == 1)


def test_a_name_is_a_shorter_text() -> None:
    assert "n" * MAX_NAME == clean_name("n" * MAX_NAME)
    assert "n" * (MAX_NAME - 1) + "…" == clean_name("n" * 5000)
    assert None is clean_name({})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (7, 7),
        (MAX_COUNT, MAX_COUNT),
        (MAX_COUNT + 1, None),
        (-1, None),
        (True, None),
        (False, None),
        (25.0, 25),
        (180.2, 180),
        (0.6, 1),
        (-0.1, None),
        (float("nan"), None),
        (float("inf"), None),
        ("25", 25),
        ("180.7", 181),
        ("7.", 7),
        ("", None),
        ("seven", None),
        ("-7", None),
        ("1_000", None),
        ("\u0667", None),
        ("nan", None),
        ("9" * 20, None),
        ("9" * 1000, None),
        (None, None),
    ],
)
def test_a_count_is_a_number_of_things(value: object, expected: int | None) -> None:
    found = clean_count(value)
    assert expected == found
    assert type(expected) is type(found)


@pytest.mark.parametrize("value", ["overloaded_error", "a", "A.b_9", "x" * 64, "429"])
def test_letters_digits_underscores_and_dots_look_like_a_type(value: str) -> None:
    assert looks_like_a_type(value)


@pytest.mark.parametrize("value", ["", "x" * 65, "a b", "a-b", "a\n", "\u0661", "é", None, 7, b"x", ["x"]])
def test_nothing_else_looks_like_a_type(value: object) -> None:
    assert not looks_like_a_type(value)


def test_the_first_names_pass_and_those_after_them_are_other() -> None:
    names = DistinctNames(3)
    assert ["a", "b", "a", "c", "_OTHER", "_OTHER", "b"] == [names.admit(name) for name in "abacdeb"]


def test_names_from_many_threads_stay_near_their_bound() -> None:
    names = DistinctNames(10)
    start = threading.Barrier(4)
    admitted: set[str] = set()

    def admit(prefix: str) -> None:
        start.wait(PATIENCE_S)
        admitted.update(names.admit(f"{prefix}{number}") for number in range(500))

    threads = [threading.Thread(target=admit, args=(prefix,)) for prefix in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert "_OTHER" in admitted
    assert len(admitted - {"_OTHER"}) <= 10 + len(threads)
