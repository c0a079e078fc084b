# SPDX-License-Identifier: Apache-2.0
"""The places that `python -m tests.ci.mutants` breaks, and how."""

from __future__ import annotations

from pathlib import Path

from . import mutants

SOURCE = """\
def f(é, b):
    if é == 1 and not b:
        say("é", é)
        b += 2
    raise ValueError(é if b is None else True)
"""
BROKEN = {
    "é == 1 and not b -> é == 1 or not b",
    "é == 1 -> é != 1",
    "1 -> 2",
    "not b -> b",
    'say("é", é) -> pass',
    "b += 2 -> pass",
    "2 -> 3",
    "raise ValueError(é if b is None else True) -> pass",
    "b is None -> b is not None",
    "True -> False",
}


def test_each_comparison_condition_constant_and_statement_without_a_value_is_broken_in_one_way(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(SOURCE, "utf-8")
    source = file.read_bytes()
    found = list(mutants.places(file))
    assert {f"{source[place.begin : place.end].decode()} -> {place.new}" for place in found} == BROKEN
    assert len(found) == len(BROKEN)
    for place in found:
        compile(place.broken(), "module.py", "exec")


def test_the_same_seed_breaks_the_same_places_of_the_package() -> None:
    drawn = mutants.drawn(["call"], 5, seed=1)
    assert drawn == mutants.drawn(["call"], 5, seed=1)
    assert 5 == len({(place.file, place.begin, place.new) for place in drawn})
