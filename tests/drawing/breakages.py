# SPDX-License-Identifier: Apache-2.0
"""Breakages to plant into a dashboard, each with what the checker must say of it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tests.support.monitoring.episodes import CALM_DAY, FORTY_MODELS, STORM_EPISODE, TRICKLE, Episode
from tests.support.monitoring.programs import DASHBOARDS

from .checker import State

Board = dict[str, Any]
WHOLE = State("broken", whole=True)


@dataclass(frozen=True)
class Breakage:
    """One panel of a dashboard, broken: the change, and a part of the finding that it must lead to."""

    name: str
    board: str
    panel: str
    change: Callable[[Board, dict[str, Any]], None]
    finding: str
    state: State = WHOLE
    episode: Episode | None = STORM_EPISODE

    def plant(self) -> Board:
        """The dashboard with this panel alone, broken."""
        model = json.loads((DASHBOARDS / "grafana" / f"after200-{self.board}.json").read_text(encoding="utf-8"))
        every = [*model["panels"], *(panel for row in model["panels"] for panel in row.get("panels", ()))]
        panel = copy.deepcopy(next(one for one in every if one["title"] == self.panel))
        panel["gridPos"] |= {"x": 0, "y": 0}
        board = {**model, "panels": [panel]}
        self.change(board, panel)
        return board


def in_query(old: str, new: str) -> Callable[[Board, dict[str, Any]], None]:
    def change(board: Board, panel: dict[str, Any]) -> None:
        changed = [target["expr"].replace(old, new) for target in panel["targets"]]
        assert changed != [target["expr"] for target in panel["targets"]], f"{old} is in no query"
        for target, expr in zip(panel["targets"], changed, strict=True):
            target["expr"] = expr

    return change


def drop_labels(board: Board, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        target["legendFormat"] = "{{gen_ai_request_modell}} · "


def sort_by(name: str) -> Callable[[Board, dict[str, Any]], None]:
    def change(board: Board, panel: dict[str, Any]) -> None:
        for transformation in panel["transformations"]:
            if transformation["id"] == "sortBy":
                transformation["options"]["sort"][0]["field"] = name

    return change


def rename_override(board: Board, panel: dict[str, Any]) -> None:
    for override in panel["fieldConfig"]["overrides"]:
        if any(one["id"] == "custom.width" for one in override["properties"]):
            override["matcher"]["options"] += "s"


def every_alert(board: Board, panel: dict[str, Any]) -> None:
    board["annotations"]["list"][0]["target"]["expr"] = 'ALERTS{alertname=~"Claude.*"}'


def silent_alerts(board: Board, panel: dict[str, Any]) -> None:
    for name in ("titleFormat", "textFormat"):
        del board["annotations"]["list"][0][name]


def swap_colors(board: Board, panel: dict[str, Any]) -> None:
    for override in panel["fieldConfig"]["overrides"]:
        if "overloaded_error" in override["matcher"]["options"]:
            override["properties"][0]["value"]["fixedColor"] = "#73BF69"


def no_decimals(board: Board, panel: dict[str, Any]) -> None:
    in_query("$__range", "50m")(board, panel)  # within which Prometheus extrapolates
    del panel["fieldConfig"]["defaults"]["decimals"]


def wide_columns(board: Board, panel: dict[str, Any]) -> None:
    panel["gridPos"]["w"] = 12
    panel["fieldConfig"]["defaults"].setdefault("custom", {})["width"] = 300


def green_nothing(board: Board, panel: dict[str, Any]) -> None:
    panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = "#73BF69"


def dead_link(board: Board, panel: dict[str, Any]) -> None:
    text = json.dumps(panel["fieldConfig"]).replace("/d/after200-calls", "/d/after200-call")
    panel["fieldConfig"] = json.loads(text)


def whole_axis(board: Board, panel: dict[str, Any]) -> None:
    panel["fieldConfig"]["defaults"]["max"] = 100


def no_axis(board: Board, panel: dict[str, Any]) -> None:
    del panel["fieldConfig"]["defaults"]["custom"]["axisLabel"]


def variable_in_text(board: Board, panel: dict[str, Any]) -> None:
    panel["description"] += " Counted over $__rate_interval."


def custom(name: str, value: Any) -> Callable[[Board, dict[str, Any]], None]:
    def change(board: Board, panel: dict[str, Any]) -> None:
        panel["fieldConfig"]["defaults"]["custom"][name] = value

    return change


def similar_colors(board: Board, panel: dict[str, Any]) -> None:
    for override in panel["fieldConfig"]["overrides"]:
        if override["properties"][0]["id"] == "color" and "api_error" in override["matcher"]["options"]:
            override["properties"][0]["value"]["fixedColor"] = "#E23B50"


def long_annotation(board: Board, panel: dict[str, Any]) -> None:
    target = board["annotations"]["list"][0]["target"]
    target["expr"] = target["expr"].split(" unless ")[0]


def legend(**options: Any) -> Callable[[Board, dict[str, Any]], None]:
    def change(board: Board, panel: dict[str, Any]) -> None:
        panel["options"]["legend"] |= options

    return change


def no_reason(board: Board, panel: dict[str, Any]) -> None:
    del panel["fieldConfig"]["defaults"]["noValue"]


def sparse(board: Board, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        target["expr"] = f"({target['expr']}) > 0"


def zeros_too(board: Board, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        target["expr"] = target["expr"].replace("> 0)", ">= 0)")


def limit_alone(board: Board, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        target["expr"] = re.sub(r"^(vector\(\S+\)) and .*", r"\1", target["expr"])


def praise(board: Board, panel: dict[str, Any]) -> None:
    panel["fieldConfig"]["defaults"]["noValue"] = "every answer is complete"


def green_client(board: Board, panel: dict[str, Any]) -> None:
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] == "requests":
            override["properties"][0]["value"]["fixedColor"] = "#56A64B"


def no_numbers(board: Board, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        target["expr"] = f"({target['expr']}) * NaN"


def narrow_head(board: Board, panel: dict[str, Any]) -> None:
    for override in panel["fieldConfig"]["overrides"]:
        for one in override["properties"]:
            if one["id"] == "custom.width":
                one["value"] = 60


def long_name(board: Board, panel: dict[str, Any]) -> None:
    panel["targets"][0]["legendFormat"] = "of the calls that completed in range"


def narrow_ids(board: Board, panel: dict[str, Any]) -> None:
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] == "Request id":
            override["properties"][0]["value"] = 120


CROWD, TRICKLING, YOUNG = State("broken", crowd=True), State("broken", trickle=True), State("broken", young=True)
EMPTY, CALM = State("broken", empty=True), State("broken", calm=True)
BREAKAGES = (
    Breakage(
        "outline",
        "latency",
        "How soon streams begin",
        custom("lineWidth", 1),
        "outlines series that are 0",
    ),
    Breakage("regions", "calls", "Success rate: claimed and true", long_annotation, "regions of alerts over its lines"),
    Breakage("shades", "calls", "Hidden failures by error type", similar_colors, "colours that are hard to tell apart"),
    Breakage(
        "crowd",
        "attempts",
        "Failed attempts by model",
        in_query("topk(8,", "topk(40,"),
        "draws 40 series",
        CROWD,
        FORTY_MODELS,
    ),
    Breakage(
        "long-legend",
        "attempts",
        "Failed attempts by model",
        legend(displayMode="list", placement="bottom", calcs=["lastNotNull", "min", "max", "mean", "sum"]),
        "px of its legend",
        CROWD,
        FORTY_MODELS,
    ),
    Breakage("no-numbers", "calls", "Failed calls by failure", legend(calcs=[]), "has no numbers in its legend"),
    Breakage(
        "fractions-of-calls",
        "calls",
        "Failed calls by failure",
        in_query("60000)", "90000)"),
        "draws fractions of calls",
        TRICKLING,
        TRICKLE,
    ),
    Breakage("early", "budget", "Budget left", in_query(">= 3", ">= 0"), "judges the budget after an hour", YOUNG),
    Breakage(
        "early-burn",
        "budget",
        "Burn rate over 3d and 6h",
        in_query("offset 1d12h", "offset 1m"),
        "judges 3 days of which",
        YOUNG,
    ),
    Breakage(
        "wide-bars",
        "calls",
        "Hidden failures by error type",
        sparse,
        "wider than a point of the graph",
        TRICKLING,
        TRICKLE,
    ),
    Breakage("zeros", "calls", "Hidden failures by error type", zeros_too, "nothing but zeros", CALM, CALM_DAY),
    Breakage("silence", "calls", "Success rate: claimed and true", sparse, "times without calls", TRICKLING, TRICKLE),
    Breakage("no-minimum", "calls", "Success rate: claimed and true", legend(calcs=["max"]), "how high a share was"),
    Breakage("limit-alone", "attempts", "Failed attempts by model", limit_alone, "shows a limit", EMPTY, None),
    Breakage("praise", "answers", "Answers that are not complete", praise, "where there is no data", EMPTY, None),
    Breakage("green-client", "calls", "Failed calls by client", green_client, "draws a failure in green: requests"),
    Breakage(
        "flat-bars",
        "attempts",
        "Waits by what caused them",
        custom("axisSoftMax", 1),
        "of its axis",
        TRICKLING,
        TRICKLE,
    ),
    Breakage(
        "no-dots",
        "latency",
        "Duration by corrected status, p95",
        custom("showPoints", "auto"),
        "leaves single values without a dot",
    ),
    Breakage("drawn-nowhere", "latency", "Duration", no_numbers, "drawn nowhere: p50"),
    Breakage("cut-head", "calls", "Wire status × corrected status", narrow_head, "cuts Wire"),
    Breakage("long-name", "calls", "The gap", long_name, "has a name above its number"),
    Breakage("no-reason", "calls", "Failed calls by failure", no_reason, "says nothing but that", EMPTY, None),
    Breakage("cut-ids", "calls", "Failed calls, from logs", narrow_ids, "cuts req_"),
    Breakage(
        "renamed-label",
        "calls",
        "Calls that failed",
        in_query("error_type", "error_kind"),
        "organize.renameByName error_type",
    ),
    Breakage(
        "renamed-metric",
        "calls",
        "Hidden failures by error type",
        in_query("after200_calls", "after200_call"),
        "shows nothing",
    ),
    Breakage("sort-key", "calls", "Calls that failed", sort_by("Call"), "sortBy Call"),
    Breakage(
        "override-name", "calls", "Calls that failed", rename_override, "names what its data does not have: override"
    ),
    Breakage(
        "unknown-variable", "calls", "Calls judged", in_query("$job", "$team"), "asks with a variable that is none"
    ),
    Breakage("syntax-error", "calls", "Calls judged", in_query("sum(", "sum(("), "failed: "),
    Breakage("nameless-series", "latency", "Duration by model, p95", drop_labels, "has a series without a name"),
    Breakage("every-alert", "calls", "Success rate: claimed and true", every_alert, "regions of alerts over its lines"),
    Breakage("silent-alerts", "calls", "Success rate: claimed and true", silent_alerts, "annotations without a text"),
    Breakage("other-color", "calls", "Hidden failures by error type", swap_colors, "draws a failure in green"),
    Breakage("fractions", "calls", "Calls judged", no_decimals, "counts fractions of things"),
    Breakage("hidden-columns", "calls", "Calls that failed", wide_columns, "of its columns on the right"),
    Breakage(
        "green-nothing",
        "calls",
        "The gap",
        green_nothing,
        "has a judgement without data",
        State("broken", empty=True),
        None,
    ),
    Breakage("dead-link", "calls", "Calls that failed", dead_link, "there is no dashboard after200-call"),
    Breakage("flat-axis", "calls", "Success rate: claimed and true", whole_axis, "of its axis"),
    Breakage("no-axis", "calls", "Failed calls by failure", no_axis, "does not say what its axis counts"),
    Breakage("text-variable", "calls", "Failed calls by failure", variable_in_text, "has a variable left in a text"),
)


def planted() -> list[tuple[Board, dict[int, Breakage]]]:
    """The dashboards with the broken panels, and what is broken on each, by the id of the panel.

    Loading a page takes longest. So panels of one situation share a dashboard unless a breakage changes more than them.
    """
    sheets: dict[str, tuple[Board, dict[int, Breakage]]] = {}
    for breakage in BREAKAGES:
        broken = breakage.plant()
        episode = breakage.episode and breakage.episode.name
        alike = json.dumps([asdict(breakage.state), episode, {**broken, "panels": []}], sort_keys=True)
        sheet, by_id = sheets.setdefault(alike, ({**broken, "panels": []}, {}))
        (panel,) = broken["panels"]
        panel["gridPos"]["y"] = sum(one["gridPos"]["h"] for one in sheet["panels"])
        if panel["id"] in by_id:  # Another breakage of the same panel. Alerts are drawn over panels of some ids.
            panel["id"] = 1000 + len(by_id)
        by_id[panel["id"]] = breakage
        sheet["panels"].append(panel)
    return list(sheets.values())
