# SPDX-License-Identifier: Apache-2.0
"""The tokens of section 5 of the contract: types that are additive, and the details that split them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from after200.call.facts import Message, Tokens, Usage
from after200.signals.attributes import token_parts

Parts = dict[tuple[str, str | None], int]
COUNTS = st.none() | st.integers(0, 20)
TOKENS = st.builds(Tokens, COUNTS, COUNTS, COUNTS, COUNTS)
USAGES = st.builds(Usage, TOKENS, ttl_5m=COUNTS, ttl_1h=COUNTS, thinking=COUNTS, compaction=st.none() | TOKENS)


def parts(usage: Usage) -> Parts:
    """Returns the points, each set of attributes once."""
    found = token_parts(Message(usage=usage))
    by_key = {(token_type, detail): number for token_type, detail, number in found}
    assert len(found) == len(by_key)
    return by_key


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(), {}),
        (Usage(Tokens(0, 0, 0, 0)), {}),
        (
            Usage(Tokens(3, 7, 20, 100)),
            {("input", None): 3, ("output", None): 7, ("cache_read", None): 20, ("cache_write", None): 100},
        ),
        # Details are parts of their total: the rest stands without one.
        (Usage(Tokens(output=7), thinking=5), {("output", "thinking"): 5, ("output", None): 2}),
        (Usage(Tokens(output=7), thinking=7), {("output", "thinking"): 7}),
        (Usage(Tokens(output=7), thinking=0), {("output", None): 7}),
        (
            Usage(Tokens(cache_write=100), ttl_5m=60, ttl_1h=40),
            {("cache_write", "ttl_5m"): 60, ("cache_write", "ttl_1h"): 40},
        ),
        (
            Usage(Tokens(cache_write=100), ttl_5m=60),
            {("cache_write", "ttl_5m"): 60, ("cache_write", None): 40},
        ),
        # A detail that is larger than its total is dropped, and the total stands.
        (Usage(Tokens(output=7), thinking=8), {("output", None): 7}),
        (Usage(Tokens(cache_write=100), ttl_5m=101), {("cache_write", None): 100}),
        (Usage(Tokens(output=None), thinking=8), {}),
        (
            Usage(Tokens(cache_write=100), ttl_5m=60, ttl_1h=101),
            {("cache_write", "ttl_5m"): 60, ("cache_write", None): 40},
        ),
        # Details that are larger than their total together: nobody knows which one is wrong.
        (Usage(Tokens(cache_write=100), ttl_5m=60, ttl_1h=60), {("cache_write", None): 100}),
        # One type's details say nothing of another's.
        (
            Usage(Tokens(3, 7, None, 100), ttl_5m=101, thinking=5),
            {("input", None): 3, ("output", "thinking"): 5, ("output", None): 2, ("cache_write", None): 100},
        ),
        # The top-level counts leave compaction out, so it comes on top, of every type.
        (
            Usage(Tokens(3, 7), compaction=Tokens(1000, 50, 10, 0)),
            {
                ("input", None): 3,
                ("output", None): 7,
                ("input", "compaction"): 1000,
                ("output", "compaction"): 50,
                ("cache_read", "compaction"): 10,
            },
        ),
        (Usage(compaction=Tokens(0, 0, 0, 4)), {("cache_write", "compaction"): 4}),
    ],
)
def test_the_parts_are_those_of_the_contract(usage: Usage, expected: Parts) -> None:
    assert expected == parts(usage)


@given(usage=USAGES)
def test_all_parts_of_a_type_add_up_to_its_total_and_its_compaction(usage: Usage) -> None:
    found = parts(usage)
    for token_type in Tokens._fields:
        total = getattr(usage.tokens, token_type) or 0
        compaction = getattr(usage.compaction or Tokens(), token_type) or 0
        assert total + compaction == sum(number for (kind, _), number in found.items() if kind == token_type)
        assert compaction == found.get((token_type, "compaction"), 0)


@given(usage=USAGES)
def test_every_part_is_above_zero_and_a_detail_is_what_the_provider_said(usage: Usage) -> None:
    for (token_type, detail), number in parts(usage).items():
        assert number > 0
        if detail not in (None, "compaction"):
            assert number == getattr(usage, str(detail))
            assert token_type == ("output" if detail == "thinking" else "cache_write")
