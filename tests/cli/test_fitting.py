# SPDX-License-Identifier: Apache-2.0
"""Tables that fit a terminal: what is shortened stays different, and what does not fit is named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from after200.cli.fitting import GAP, Field, fit, shorten

BEDROCK = [
    "us.anthropic.claude-fable-5-1-20260101-v1:0",
    "us.anthropic.claude-fable-5-2-20260101-v1:0",
    "eu.anthropic.claude-fable-5-2-20260101-v1:0",
]


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (60, BEDROCK),
        (39, [f"{name[:-5]}…" for name in BEDROCK]),
        (30, [f"{name[:-14]}…" for name in BEDROCK]),
        (
            29,
            ["us.anthro…e-5-1-20260101-v1:0", "us.anthro…e-5-2-20260101-v1:0", "eu.anthro…e-5-2-20260101-v1:0"],
        ),
        (14, ["u…1-20260101-…", "u…2-20260101-…", "e…2-20260101-…"]),
        (5, ["u…1-…", "u…2-…", "e…2-…"]),
    ],
)
def test_the_part_that_tells_names_apart_stays(width: int, shown: list[str]) -> None:
    assert shown == shorten(BEDROCK, width)


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (34, ["…anthropic.claude-sonnet-5-2-v1:0", "…anthropic.claude-haiku-5-14-v1:0"]),
        (20, ["…claude-sonnet-5-2…", "…claude-haiku-5-14…"]),
        (14, ["…sonnet-5-2…", "…haiku-5-14…"]),
    ],
)
def test_what_all_names_begin_and_end_with_goes_first_in_whole_words(width: int, shown: list[str]) -> None:
    names = ["us.anthropic.claude-sonnet-5-2-v1:0", "us.anthropic.claude-haiku-5-14-v1:0"]
    assert [*shown, "all 280"] == shorten([*names, "all 280"], width)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab-1", min_size=1, max_size=30), max_size=12), st.integers(6, 20))
def test_different_names_stay_different_and_none_is_too_long(texts: list[str], width: int) -> None:
    shown = shorten(texts, width)
    assert len(set(texts)) == len(set(shown))
    assert all(len(short) <= width for short in shown)
    assert [text for text in texts if len(text) <= width] == [
        short for text, short in zip(texts, shown, strict=True) if len(text) <= width
    ]


def test_columns_that_do_not_fit_are_left_out_whole_the_least_important_first_and_named() -> None:
    fields = [
        Field("model", BEDROCK, 1, least=14),
        Field("calls", ["1", "22", "333"], 2),
        Field("failed\nafter 200", ["1", "2", "3"], 1),
        Field("open", ["0", "0", "0"], 8),
    ]
    assert (fields, []) == fit(fields, 43 + GAP + 5 + GAP + 9 + GAP + 4)
    kept, left_out = fit(fields, 31)
    assert (["model", "failed\nafter 200"], ["calls", "open"]) == ([each.head for each in kept], left_out)
    assert 31 == sum(each.width for each in kept) + GAP
    assert shorten(BEDROCK, 20) == kept[0].cells


def test_a_name_differs_from_those_that_are_not_shown_too() -> None:
    [column], _ = fit([Field("model", BEDROCK[:1], least=5, others=(BEDROCK[1],))], 5)
    assert shorten(BEDROCK[:2], 5)[:1] == column.cells
