# SPDX-License-Identifier: Apache-2.0
"""The forms of a report: what it says of an incident, and that nobody who chose a name can format the page."""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser

import pytest

from after200.cli.endings import Ending, Totals
from after200.cli.report import markdown, page
from after200.cli.report.forms import written
from after200.cli.report.incident import PROVIDER, Alert, Failed, Incident, Limit, OfModel, Period, Request, Step
from after200.cli.report.wording import share

HOSTILE = (
    "<script>alert(1)</script>",
    "[here](https://evil.example/)",
    "![x](https://evil.example/x.png)",
    "a|b|c",
    "*em* **strong** __under__ ~~gone~~",
    "`code` ``more``",
    "line\n# heading",
    "&lt;b&gt; &amp;",
    "https://evil.example/login",
    "\u202egnp.exe",
    "$math$ ^sup^ =mark=",
)


def incident(name: str) -> Incident:
    """Everything that a server or a caller can choose has this name."""
    failed = Ending("failed", name, 529, 200)
    found = Incident(1_764_000_000, 1_764_000_120, 60, "Prometheus", ["A note."])
    found.calls = Counter({failed: 3, Ending("completed", None, 200, 200): 7})
    ended = Totals(10, 10, 7, 3, 0, 0)
    found.models = [OfModel(name, name, ended)]
    found.steps = [Step(1_764_000_000, ended, {name: 3}), Step(1_764_000_060, Totals(0, 0, 0, 0, 0, 0), {})]
    found.failed = [Failed("overloaded", name, name, 529, 200, PROVIDER, 3)]
    found.limits = [Limit(name, name, 0.9, 1_764_000_060, 50)]
    found.alerts = [Alert(name, name, name, 1_764_000_030, None)]
    found.requests = [Request(1_764_000_050, name, name, name)]
    found.retry_waits = {name: 1.0}
    found.attempts = Counter({"200": 10, name: 1})
    return found


class Read(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags[tag] += 1

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> Read:
    found = Read()
    found.feed(text)
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_in_html_a_name_is_text_and_nothing_else(name: str) -> None:
    plain, hostile = read(page.write(incident("claude"))), read(page.write(incident(name)))
    assert plain.tags == hostile.tags
    assert any(name in text for text in hostile.text)


@pytest.mark.parametrize("name", HOSTILE)
def test_in_markdown_a_name_is_text_and_nothing_else(name: str) -> None:
    library = pytest.importorskip("markdown", reason="the group docs is not installed")

    def rendered(text: str) -> Read:
        return read(library.markdown(text, extensions=["tables", "pymdownx.magiclink", "pymdownx.tilde"]))

    plain, hostile = rendered(markdown.write(incident("claude"))), rendered(markdown.write(incident(name)))
    links = {"a": hostile.tags["a"] - plain.tags["a"]}
    assert {"a": 0} == links
    assert plain.tags - Counter({"code": plain.tags["code"]}) == hostile.tags - Counter({"code": hostile.tags["code"]})
    words = " ".join("".join(each if each.isprintable() else " " for each in name).split())
    assert words in "".join(hostile.text)


def test_a_time_in_which_many_calls_failed_is_named_with_its_evidence() -> None:
    found = incident("overloaded_error")
    assert [Period(1_764_000_000, 1_764_000_060, 3, 10)] == found.periods
    text = markdown.write(found)
    assert "From 2025-11-24 16:00:00 UTC to 2025-11-24 16:01:00 UTC: 3 of 10 calls failed (30.0%)." in text
    assert "Outside of these times, 0 calls failed." in text


def of(failed: int, calls: int = 100) -> Totals:
    return Totals(calls, calls, calls - failed, failed, 0, 0)


@pytest.mark.parametrize(
    ("failures", "periods"),
    [
        ([0, 0, 1, 0], []),  # a single failure is no incident
        ([0, 30, 40, 0], [(60, 180)]),
        ([30, 0, 0, 0, 30], [(0, 300)]),  # four calm minutes are a part of it
        ([30, 0, 0, 0, 0, 0, 0, 30], [(0, 60), (420, 480)]),
        ([4, 4, 4], []),  # below 5 %
    ],
)
def test_when_it_began_and_ended(failures: list[int], periods: list[tuple[int, int]]) -> None:
    found = Incident(0, 60 * len(failures), 60, "Prometheus")
    found.steps = [Step(60 * at, of(failed), {"x": failed} if failed else {}) for at, failed in enumerate(failures)]
    assert periods == [(each.begin, each.end) for each in found.periods]


def test_json_has_everything() -> None:
    found = json.loads(written(incident("claude"), "json"))
    assert (10, 3, {PROVIDER: 3}) == (found["calls"], found["hidden"], found["whose"])
    assert [{"time": 1_764_000_050, "model": "claude", "error_type": "claude", "request_id": "claude"}] == (
        found["requests"]
    )


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "-"), (0, 9, "0.0%"), (1, 9999, "below 0.1%"), (9998, 9999, "above 99.9%"), (9, 9, "100.0%")],
)
def test_a_share_is_zero_or_all_only_where_it_is(part: int, whole: int, said: str) -> None:
    assert said == share(part, whole)
