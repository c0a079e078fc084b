# SPDX-License-Identifier: Apache-2.0
"""What queries ask for exists, and what exists is asked for: committed files against `names`."""

from __future__ import annotations

import re

import pytest

from after200 import names
from after200.names.prometheus import label, metric_name, metric_names

from ..support.monitoring.programs import DASHBOARDS
from ..support.monitoring.queries import (
    Query,
    all_queries,
    grouped_by,
    known_series,
    panels,
    result_labels,
    rules,
    selectors,
)

QUERIES = all_queries()
KNOWN = known_series()
TRACEQL_ATTRIBUTE = re.compile(r"\bspan\.([a-z0-9_.]+)")


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
def test_every_metric_and_label_of_a_query_exists(query: Query) -> None:
    tree = query.tree()
    for selector in selectors(tree):
        assert selector.name in KNOWN
        # A recorded series has no instance: a dashboard finds it as long as no instance is chosen.
        also = {"instance"} if ":" in selector.name else set()
        assert {matcher.name for matcher in selector.matchers.matchers} <= KNOWN[selector.name] | also
    for node, labels in grouped_by(tree):
        assert labels <= result_labels(node.expr, KNOWN)


def test_every_metric_of_the_contract_is_used_by_a_panel_or_a_rule() -> None:
    shipped = [query for query in QUERIES if not query.place.startswith("runbooks/")]
    used = {selector.name for query in shipped for selector in selectors(query.tree())}
    assert [] == [metric.name for metric in names.METRICS if used.isdisjoint(metric_names(metric))]


def test_every_recorded_series_is_used() -> None:
    used = {selector.name for query in QUERIES for selector in selectors(query.tree())}
    assert set() == {rule["record"] for rule in rules() if "record" in rule} - used


def test_labels_in_the_texts_of_alerts_exist() -> None:
    for rule in rules():
        if "alert" in rule:
            used = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
            assert used <= result_labels(Query("", rule["expr"]).tree(), KNOWN), rule["alert"]


def test_labels_in_legends_exist() -> None:
    for place, panel in panels():
        for target in panel["targets"]:
            used = set(re.findall(r"{{(\w+)}}", target.get("legendFormat", "")))
            if used:
                assert used <= result_labels(Query("", target["expr"]).tree(), KNOWN), place


def test_attributes_in_traceql_exist() -> None:
    texts = [str(panel["targets"]) for _, panel in panels()]
    texts += [path.read_text(encoding="utf-8") for path in (DASHBOARDS / "runbooks").glob("*.md")]
    used = {attribute for text in texts for attribute in TRACEQL_ATTRIBUTE.findall(text)}
    assert used
    assert used <= {value for value in vars(names).values() if isinstance(value, str)}


@pytest.mark.parametrize(
    ("name", "metric", "part"),
    [
        ("after200_calls_total", names.CALLS, ""),
        ("after200_streams_open", names.STREAMS_OPEN, ""),
        ("after200_stream_longest_gap_seconds_bucket", names.LONGEST_GAP, "bucket"),
        ("gen_ai_client_operation_duration_seconds_count", names.DURATION, "count"),
        ("gen_ai_client_token_usage_sum", names.TOKEN_USAGE, "sum"),
    ],
)
def test_metrics_are_named_as_prometheus_names_them(name: str, metric: names.Metric, part: str) -> None:
    assert name == metric_name(metric, part)  # type: ignore[arg-type]


def test_attributes_are_named_as_prometheus_names_them() -> None:
    assert "gen_ai_request_model" == label(names.REQUEST_MODEL)
    assert "key_2xx" == label("2xx")


def test_a_histogram_has_no_series_without_a_part() -> None:
    with pytest.raises(ValueError, match="longest_gap is a histogram: 'no part' does not go with it"):
        metric_name(names.LONGEST_GAP)


def test_a_unit_without_a_known_suffix_is_named() -> None:
    odd = names.Metric("after200.odd", "counter", "furlong", (), "")
    with pytest.raises(ValueError, match="furlong"):
        metric_name(odd)
