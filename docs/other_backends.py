# SPDX-License-Identifier: Apache-2.0
"""Writes `other-backends.md`: the questions of *After the 200* in the query languages of two other backends.

    python docs/other_backends.py            write it
    python docs/other_backends.py --check    exit status 1 when the page is not what it would be written as

The conditions are those of the dashboard; a condition that a language cannot be written for is an error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from after200 import names
from after200.monitoring.policy import BELOW_400, ERRORS, LEFT_BY_THE_APPLICATION, USABLE_ANSWERS
from after200.monitoring.promql import Matcher, equals, matches, one_of
from after200.monitoring.symptoms import HIDDEN_MATCHERS, JUDGED_MATCHERS
from after200.names import Metric

PAGE = Path(__file__).with_name("other-backends.md")

INTRO = """\
# Other backends

Metrics, spans and log records go out as OTLP, so any backend that takes OTLP has them, with the names of
[what is recorded](what-is-recorded.md): dots stay dots. This page asks the questions of the dashboard *After the 200*
in the languages of two backends. It is written from the names and the conditions of that dashboard by
`python docs/other_backends.py`.

**None of this has been run in Datadog or Honeycomb.** It follows what is known of their languages. If a query does not
do what it says, please open an issue.
"""
DATADOG = """\
## Datadog

Metrics by OTLP, from the Agent or the Collector. Counters arrive as counts, attributes as tags. In a formula, `a` and
`b` are the two queries.
"""
HONEYCOMB = """\
## Honeycomb

Asked of the spans. They must not be sampled, or be sampled with their rate noted, by which Honeycomb multiplies; the
stack's Collector keeps one in ten of the good calls, so its spans give no share. Each query is the JSON of the query
API.
"""
MORE = """\
## What else there is to know

- A share of two counts is a formula in both: the second query is the whole.
- *Hidden* means that the wire status was below 400 and the call failed all the same.
- What is worth waking somebody for is in [dashboards](dashboards.md); the conditions there build on rules of
  Prometheus, and are not translated here.
"""


@dataclass(frozen=True)
class Question:
    """One number or graph of the dashboard: what is counted, by what, and the whole of a share."""

    title: str
    metric: Metric
    part: tuple[Matcher, ...]
    whole: tuple[Matcher, ...] | None = None
    by: tuple[str, ...] = ()


CLAIMED = (*JUDGED_MATCHERS, matches(names.WIRE_STATUS, BELOW_400))
QUESTIONS = (
    Question("What does HTTP claim?", names.CALLS, CLAIMED, JUDGED_MATCHERS),
    Question("What is true?", names.CALLS, (equals(names.OUTCOME, "completed"),), JUDGED_MATCHERS),
    Question("What is the difference?", names.CALLS, HIDDEN_MATCHERS, JUDGED_MATCHERS),
    Question("How many answers are usable?", names.ANSWERS_RECEIVED, (one_of(names.ANSWER, USABLE_ANSWERS),), ()),
    Question("Which failures hide behind a 200?", names.CALLS, HIDDEN_MATCHERS, by=(names.ERROR_TYPE,)),
    Question("Where do they come from?", names.CALLS, HIDDEN_MATCHERS, by=(names.REQUEST_MODEL,)),
    Question("What do they stand for?", names.CALLS, HIDDEN_MATCHERS, by=(names.HTTP_STATUS,)),
    Question("Why do calls fail?", names.CALLS, (one_of(names.OUTCOME, ERRORS),), by=(names.FAILURE,)),
    Question(
        "Who leaves streams?", names.CALLS, (one_of(names.OUTCOME, LEFT_BY_THE_APPLICATION),), by=(names.OUTCOME,)
    ),
)
FAILED = one_of(names.OUTCOME, ERRORS)
COLUMNS = (names.REQUEST_MODEL, names.FAILURE, names.WIRE_STATUS, names.HTTP_STATUS, names.ANTHROPIC_REQUEST_ID)


def alternatives(matcher: Matcher) -> list[str]:
    """The values that a matcher accepts, as far as they are plain words."""
    values = matcher.value.split("|")
    if matcher.operator not in ("=", "=~") or not all(value.replace("_", "").isalnum() for value in values):
        raise ValueError(f"cannot be written in another language: {matcher}")
    return values


def in_datadog(matcher: Matcher) -> str:
    if matcher == matches(names.WIRE_STATUS, BELOW_400):
        return f"{matcher.attribute} IN (1*,2*,3*)"
    values = alternatives(matcher)
    return f"{matcher.attribute}:{values[0]}" if len(values) == 1 else f"{matcher.attribute} IN ({','.join(values)})"


def of_datadog(metric: Metric, conditions: Iterable[Matcher], by: tuple[str, ...]) -> str:
    scope = " AND ".join(map(in_datadog, conditions)) or "*"
    grouped = f" by {{{','.join(by)}}}" if by else ""
    return f"sum:{metric.name}{{{scope}}}{grouped}.as_count()"


def in_honeycomb(matcher: Matcher) -> dict[str, Any]:
    if matcher == matches(names.WIRE_STATUS, BELOW_400):
        return {"column": matcher.attribute, "op": "<", "value": 400}
    values = alternatives(matcher)
    if len(values) == 1:
        return {"column": matcher.attribute, "op": "=", "value": values[0]}
    return {"column": matcher.attribute, "op": "in", "value": values}


def of_honeycomb(metric: Metric, conditions: Iterable[Matcher], by: tuple[str, ...]) -> str:
    filters = [in_honeycomb(matcher) for matcher in conditions]
    if metric == names.ANSWERS_RECEIVED and not filters:
        filters = [{"column": names.ANSWER, "op": "exists"}]
    query: dict[str, Any] = {"calculations": [{"op": "COUNT"}], "filters": filters, "filter_combination": "AND"}
    if by:
        query["breakdowns"] = list(by)
    return json.dumps(query)


def asked(question: Question, language: Any) -> list[str]:
    """The queries of a question: the part, and the whole of a share."""
    queries = [language(question.metric, question.part, question.by)]
    if question.whole is not None:
        queries.append(language(question.metric, question.whole, question.by))
    return queries


def section(title: str, queries: list[str], formula: str, syntax: str) -> str:
    share = f" The share is {formula}." if len(queries) > 1 else ""
    lines = "\n".join(queries)
    return f"**{title}**{share}\n\n```{syntax}\n{lines}\n```\n"


def page() -> str:
    parts = [INTRO, DATADOG]
    parts += [section(one.title, asked(one, of_datadog), "`a / b`", "text") for one in QUESTIONS]
    failures = " OR ".join(ERRORS)
    spans = f"@{names.OUTCOME}:({failures})"
    parts.append(section("Which calls failed?", [spans], "", "text").replace("?**", "?** In the search for spans:"))
    columns = ", ".join(f"`@{name}`" for name in COLUMNS)
    parts.append(f"Columns to add: {columns}. Log records of failed calls are found by `@{names.FAILURE}:*`.\n")
    parts.append(HONEYCOMB)
    parts += [
        section(one.title, asked(one, of_honeycomb), "the first count by the second", "json") for one in QUESTIONS
    ]
    listing = {"filters": [in_honeycomb(FAILED)], "breakdowns": list(COLUMNS)}
    parts.append(section("Which calls failed?", [json.dumps(listing)], "", "json"))
    return "\n".join([*parts, MORE])


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python docs/other_backends.py [--check]", file=sys.stderr)
        return 2
    if not arguments:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        print(f"{PAGE.name} is not what the code says: python docs/other_backends.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
