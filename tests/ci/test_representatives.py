# SPDX-License-Identifier: Apache-2.0
"""Which tests `make test` leaves to `make test-all`, and the table of durations that both print."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..support import representatives as plugin
from ..support.durations import by_folder, table
from ..support.representatives import MARKERS, pairs, representatives

ROOT = Path(__file__).parents[2]
pytest_plugins = ["pytester"]

PROJECT = """
    import pytest

    @pytest.mark.variants
    @pytest.mark.parametrize("sync", [True, False])
    @pytest.mark.parametrize("color", ["red", "blue"])
    @pytest.mark.parametrize("size", [1, 2])
    def test_of_pairs(size, color, sync): ...

    @pytest.mark.variants(covers=lambda size, color: [("size", size), ("is red", color == "red")])
    @pytest.mark.parametrize("color", ["red", "blue", "green"])
    @pytest.mark.parametrize("size", [1, 2])
    def test_with_a_rule(size, color): ...

    @pytest.mark.repeats("test_of_pairs")
    def test_again(): ...

    @pytest.mark.parametrize("size", [1, 2])
    def test_unmarked(size): ...
"""


class Conftest:
    """Registers the markers, as tests/conftest.py does, and writes down what is run."""

    def __init__(self) -> None:
        self.run: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        for marker in MARKERS:
            config.addinivalue_line("markers", marker)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.run = [item.name for item in session.items]


@pytest.mark.parametrize(
    ("plugins", "expected"),
    [
        (
            [plugin],
            [
                "test_of_pairs[1-red-True]",
                "test_of_pairs[1-blue-False]",
                "test_of_pairs[2-red-False]",
                "test_of_pairs[2-blue-True]",
                "test_with_a_rule[1-red]",
                "test_with_a_rule[2-blue]",
                "test_unmarked[1]",
                "test_unmarked[2]",
            ],
        ),
        (
            [],
            [
                *(
                    f"test_of_pairs[{size}-{color}-{sync}]"
                    for size, color, sync in itertools.product((1, 2), ("red", "blue"), (True, False))
                ),
                *(
                    f"test_with_a_rule[{size}-{color}]"
                    for size, color in itertools.product((1, 2), ("red", "blue", "green"))
                ),
                "test_again",
                "test_unmarked[1]",
                "test_unmarked[2]",
            ],
        ),
    ],
    ids=["representatives", "all"],
)
def test_make_test_runs_as_many_variants_as_cover_what_all_cover_and_no_test_that_repeats_another(
    plugins: list[object], expected: list[str], pytester: pytest.Pytester
) -> None:
    conftest = Conftest()
    pytester.makepyfile(PROJECT)
    scope = "asyncio_default_fixture_loop_scope=function"
    result = pytester.inline_run(
        "-qp", "no:cacheprovider", "--strict-markers", "-o", scope, plugins=[conftest, *plugins]
    )
    assert (len(expected), 0, 0) == tuple(map(len, result.listoutcomes()))
    assert expected == conftest.run


@given(st.lists(st.frozensets(st.integers(0, 12), max_size=5), max_size=12))
def test_representatives_cover_what_all_cover_and_each_adds_something(variants: list[frozenset[int]]) -> None:
    chosen = representatives(variants)
    assert frozenset().union(*variants) == frozenset().union(*(variants[place] for place in chosen))
    assert len(chosen) <= len(frozenset().union(*variants))
    assert chosen == sorted(set(chosen))


def test_a_variant_covers_each_pair_of_its_values_or_the_only_one() -> None:
    of_three = {(("a", 1), ("b", "[2]")), (("a", 1), ("c", 3)), (("b", "[2]"), ("c", 3))}
    assert (of_three, {(("a", 1),)}) == ({*pairs(b=[2], c=3, a=1)}, {*pairs(a=1)})


def test_the_table_has_a_line_for_each_folder_and_one_for_all() -> None:
    def report(file: str, when: str, cpu: float) -> SimpleNamespace:
        return SimpleNamespace(nodeid=f"tests/{file}::test", when=when, duration=2 * cpu, cpu=cpu)

    reports = [report("a/test_x.py", when, 1.0) for when in ("setup", "call", "teardown")]
    reports += [report("b/c/test_y.py", "setup", 0.5), report("test_z.py", "setup", 0.25)]
    assert [
        "folder           tests   seconds     CPU s",
        "a                    1       6.0       3.0",
        "b                    1       1.0       0.5",
        "tests                1       0.5       0.2",
        "all                  3       7.5       3.8",
    ] == table(by_folder(reports))


BUSY = """
import time
import pytest

@pytest.fixture
def busy():
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass

def test_first(busy): ...
"""


def test_the_first_test_of_a_worker_is_in_the_table_with_what_it_used(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(BUSY)
    pytester.makeini("[pytest]")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    result = pytester.runpytest_subprocess("-n1", "-p", "tests.support.durations")
    (line,) = [line for line in result.outlines if line.startswith("all ")]
    assert float(line.split()[3]) >= 0.3
