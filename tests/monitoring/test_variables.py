# SPDX-License-Identifier: Apache-2.0
"""Every query of a dashboard uses every variable that applies to its data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from after200 import names
from after200.names.prometheus import label

from ..support.monitoring.programs import DASHBOARDS
from ..support.monitoring.queries import Query, known_series, panels_of, selectors

KNOWN = known_series()
BY_VARIABLE = {
    "job": "job",
    "instance": "instance",
    "provider": label(names.PROVIDER_NAME),
    "model": label(names.REQUEST_MODEL),
}
OF_SPANS = {"service", "provider", "model"}
"""What a query for spans uses. A span has no instance where the SDK makes up none, and TraceQL would not find it."""
OF_LOGS = {*OF_SPANS, "instance"}
BOARDS = sorted((DASHBOARDS / "grafana").glob("*.json"))


def unused(query: str) -> Iterator[str]:
    """The variables that a query of any of the three languages leaves out."""
    used = set(re.findall(r"\$\{?(\w+)", query))
    if "| select(" in query:
        yield from sorted(OF_SPANS - used)
    elif query.startswith('{service_name=~"'):
        yield from sorted(OF_LOGS - used)
    else:
        for selector in selectors(Query("", query).tree()):
            matchers = {matcher.name for matcher in selector.matchers.matchers}
            applying = KNOWN[selector.name] & set(BY_VARIABLE.values())
            if ":" in selector.name or selector.name == "ALERTS":
                applying = (applying | {"job"}) - {"instance"}
            yield from (f"{selector.name} {name}" for name in sorted(applying - matchers))


def queries_of(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for annotation in board["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["target"]["expr"]
    for panel in panels_of(board):
        for target in panel["targets"]:
            yield f"{panel['title']} ({target['refId']})", target.get("expr") or target["query"]


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_query_uses_every_variable_that_applies_to_its_data(path: Any) -> None:
    board = json.loads(path.read_text(encoding="utf-8"))
    assert [] == [(place, left) for place, query in queries_of(board) for left in unused(query)]


CHOSEN = 'job=~"$job",instance=~"$instance",gen_ai_provider_name=~"$provider",gen_ai_request_model=~"$model"'
CALLS = f"sum(after200_calls_total{{{CHOSEN}}})"
PLANTED = {
    CALLS: [],
    f"{CALLS} / sum(after200_calls_total)": [f"after200_calls_total {name}" for name in sorted(BY_VARIABLE.values())],
    'ALERTS{job=~"$job"}': ["ALERTS gen_ai_provider_name", "ALERTS gen_ai_request_model"],
    '{ span.gen_ai.request.model =~ "${model:pipe}" } | select(span.x)': ["provider", "service"],
    '{service_name=~"${service:pipe}"} | after200_failure != ""': ["instance", "model", "provider"],
}
"""A query → what it leaves out."""


@pytest.mark.parametrize("query", PLANTED)
def test_a_variable_that_is_left_out_is_found(query: str) -> None:
    assert PLANTED[query] == list(unused(query))
