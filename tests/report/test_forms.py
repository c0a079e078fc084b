# SPDX-License-Identifier: Apache-2.0
"""The forms of a report: what it says of an incident, and that nobody who chose a name can format the page."""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from after200.cli.endings import Ending, Totals
from after200.cli.report import markdown, page
from after200.cli.report.contents import causes, contents, when
from after200.cli.report.forms import written
from after200.cli.report.incident import (
    OURS,
    PROVIDER,
    Alert,
    Failed,
    Incident,
    Limit,
    OfModel,
    Period,
    Request,
    Step,
    Wait,
)
from after200.cli.report.picture import ALERT, pictures
from after200.cli.report.sections import Section
from after200.cli.report.wording import share
from after200.cli.wording import seconds_of

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


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("It has after200_calls_total now: is it?", "It has `after200_calls_total` now: is it?"),
        ("39 overloaded_error, 6 stream_truncated.", "39 `overloaded_error`, 6 `stream_truncated`."),
        ("a|b_c and *d_e*", "a\\|b\\_c and \\*d\\_e\\*"),
        ("_OTHER", "`_OTHER`"),
    ],
)
def test_in_markdown_a_plain_name_with_an_underscore_is_code_and_every_other_is_escaped(
    said: str, written: str
) -> None:
    assert written == markdown.text(said)


def test_a_time_in_which_many_calls_failed_is_named_with_its_evidence() -> None:
    found = incident("overloaded_error")
    found.steps[0] = Step(1_764_000_000, Totals(5, 5, 2, 3, 0, 0), {"overloaded_error": 3})
    assert [Period(1_764_000_000, 1_764_000_060, 3, 5)] == found.periods
    text = markdown.write(found)
    assert "From 2025-11-24 16:00:00 to 16:01:00 UTC (1 minute): 3 of 5 calls failed (60.0%)." in text
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
        ([0, 9, 0], []),  # chance explains nine of a hundred, and ClaudeHiddenFailures would not page for them
        ([0, 16, 0], [(60, 120)]),
        ([9, 9, 9], [(0, 180)]),  # but not three times
    ],
)
def test_when_it_began_and_ended(failures: list[int], periods: list[tuple[int, int]]) -> None:
    found = Incident(0, 60 * len(failures), 60, "Prometheus")
    found.steps = [Step(60 * at, of(failed), {"x": failed} if failed else {}) for at, failed in enumerate(failures)]
    assert periods == [(each.begin, each.end) for each in found.periods]


def test_two_of_three_calls_are_no_chance_and_one_of_two_says_nothing() -> None:
    found = Incident(0, 60, 60, "Prometheus")
    found.steps = [Step(0, Totals(4, 4, 1, 3, 0, 0), {"x": 3})]
    assert [(0, 60)] == [(each.begin, each.end) for each in found.periods]
    found.steps = [Step(0, Totals(4, 4, 2, 2, 0, 0), {"x": 2})]
    assert [] == found.periods


def test_the_table_of_steps_has_the_times_in_which_many_calls_failed_and_counts_the_rest() -> None:
    found = incident("x")
    failures = [1, 0, 40, 50, 0, 0, 0, 0, 0, 0, 2]
    found.steps = [
        Step(1_764_000_000 + 60 * at, of(failed), {"overloaded_error": failed} if failed else {})
        for at, failed in enumerate(failures)
    ]
    found.end = 1_764_000_000 + 60 * len(failures)
    [steps] = [each for each in contents(found) if each.pictures]
    assert [("16:02:00", "40 overloaded_error"), ("16:03:00", "50 overloaded_error")] == [
        (row[0], row[-1]) for row in steps.rows
    ]
    assert ["The table leaves out 3 calls that failed outside of the times above."] == list(steps.sentences)


def test_a_hundred_models_are_forty_rows_and_one_with_the_sums_of_the_rest() -> None:
    found = incident("x")
    found.models = [OfModel("anthropic", f"model-{number}", Totals(10, 9, 8, 1, 1, 0)) for number in range(100)]
    found.waits = [Wait("until the first text", f"model-{number}", 0.5, 1.5) for number in range(100)]
    found.limits = [Limit(f"model-{number}", "requests", 0.5, 1_764_000_060, 50) for number in range(100)]
    parts = {each.heading: each for each in contents(found)}
    models = parts["What HTTP claimed, and what was true"].rows
    assert (41, ("and 60 more", "", "600", "540", "480", "60", "60", "0", "80.0%")) == (len(models), models[-1])
    for heading in ("What users felt: waits and retries", "Rate limits at the time"):
        rows = parts[heading].rows
        assert (41, "and 60 more") == (len(rows), rows[-1][0])
        assert {len(parts[heading].head)} == set(map(len, rows))


def test_waits_are_one_row_for_each_model_the_worst_first() -> None:
    found = incident("x")
    found.models = [OfModel("anthropic", name, Totals(1, 1, 1, 0, 0, 0)) for name in ("worst", "best")]
    found.waits = [
        Wait("until the first text", "best", 0.5, 1.5),
        Wait("until the first text", "worst", 2, 3),
        Wait("until a call had failed", "worst", 4, 5),
    ]
    [felt] = [each for each in contents(found) if each.heading.startswith("What users felt")]
    assert [
        ("worst", "2.00", "3.00", "4.00", "5.00", "-", "-"),
        ("best", "0.50", "1.50", "-", "-", "-", "-"),
    ] == list(felt.rows)


def test_a_column_of_numbers_is_to_the_right_also_where_a_number_is_missing() -> None:
    section = Section("x", rows=[("a", "1,000", "-", "-", "12:00:00"), ("2", "below 0.1%", "7", "-", "12:00:01")])
    assert (False, True, True, False, False) == section.numeric
    text = markdown.write(incident("claude"))
    assert "| --- | --- | --- | ---: | ---: | --- | ---: |" in text


def test_the_pictures_show_all_calls_and_failed_calls_and_when_a_page_was_sent() -> None:
    found = incident("claude")
    found.alerts = [Alert("ClaudeDown", "critical", "claude", 1_764_000_030, None)]
    every, failed = (Pictured(one) for one in pictures(found))
    assert ["All calls", "completed", "left", "failed where HTTP shows it", "failed after 200", ALERT] == every.legend
    assert ["Failed calls", "claude", ALERT] == failed.legend
    assert ["7 completed", "3 failed after 200", "ClaudeDown"] == [each.rpartition(": ")[2] for each in every.titles]
    assert ["3 claude", "ClaudeDown"] == [each.rpartition(": ")[2] for each in failed.titles]
    found.steps = [Step(1_764_000_000, Totals(1, 1, 1, 0, 0, 0), {})]
    assert 1 == len(list(pictures(found)))


class Pictured:
    """What a picture says: the words of its legend, and of what stands below the pointer."""

    def __init__(self, picture: str) -> None:
        root = ElementTree.fromstring(picture)
        self.legend = [each.text for each in root.iter("text") if each.get("y") == "14"]
        self.titles = [each.text or "" for each in root.iter("title")]


def test_json_has_everything() -> None:
    found = json.loads(written(incident("claude"), "json"))
    assert (10, 3, {PROVIDER: 3}) == (found["calls"], found["hidden"], found["whose"])
    assert [{"time": 1_764_000_050, "model": "claude", "error_type": "claude", "request_id": "claude"}] == (
        found["requests"]
    )


def test_without_a_history_the_known_failures_say_when_it_was() -> None:
    found = incident("claude")
    found.steps = []
    found.requests = [Request(1_764_000_050, "m", "e", "1"), Request(1_764_000_010, "m", "e", "2")]
    said = "There is no history. The failed calls that are known one by one"
    assert [f"{said} ended from 2025-11-24 16:00:10 to 16:00:50 UTC."] == list(when(found).sentences)
    found.requests = []
    assert [f"{said} are none."] == list(when(found).sentences)


@pytest.mark.parametrize(
    ("whose", "said"),
    [
        (PROVIDER, "Of none of them the request, the key, the account or the caller's own time limit was the cause."),
        (
            OURS,
            "3 of 3 are not the provider's fault: the request, the key, the account or the caller's own time limit was "
            "the cause.",
        ),
    ],
)
def test_what_is_not_the_providers_fault_is_said(whose: str, said: str) -> None:
    found = incident("claude")
    found.failed = [each._replace(whose=whose) for each in found.failed]
    assert said in causes(found).sentences


@pytest.mark.parametrize(("seconds", "said"), [(0, "0.0 s"), (0.0123, "0.012 s"), (12.34, "12.3 s")])
def test_a_short_wait_is_not_said_to_be_none(seconds: float, said: str) -> None:
    assert said == seconds_of(seconds)


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "-"), (0, 9, "0.0%"), (1, 9999, "below 0.1%"), (9998, 9999, "above 99.9%"), (9, 9, "100.0%")],
)
def test_a_share_is_zero_or_all_only_where_it_is(part: int, whole: int, said: str) -> None:
    assert said == share(part, whole)
