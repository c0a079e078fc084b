# SPDX-License-Identifier: Apache-2.0
"""Dashboards as Grafana exports them for others and as its catalogue takes them: a policy comes in, files go out.

An import asks for the data sources that `__inputs` names, and puts the answers in place of `${DS_...}`.
"""

from __future__ import annotations

from typing import Any, Final

from after200.monitoring.files import all_boards, to_json
from after200.monitoring.policy import Policy

OLDEST_GRAFANA: Final = "11.0.0"
NAMES: Final[dict[str, str]] = {
    "loki": "Loki",
    "prometheus": "Prometheus",
    "stat": "Stat",
    "table": "Table",
    "tempo": "Tempo",
    "timeseries": "Time series",
}
"""What Grafana calls the plugins that the dashboards need."""


def render(policy: Policy) -> dict[str, str]:
    """The dashboards by their file names."""
    return {f"{board.uid}.json": to_json(exported(board.model(policy))) + "\n" for board in all_boards(policy)}


def exported(model: dict[str, Any]) -> dict[str, Any]:
    """A dashboard with what an import has to ask for, and what it needs."""
    sources = [variable for variable in model["templating"]["list"] if variable["type"] == "datasource"]
    for variable in sources:
        chosen = f"${{{input_name(variable['query'])}}}"
        variable["current"] = {"text": chosen, "value": chosen}
    every = [one for panel in model["panels"] for one in (panel, *panel.get("panels", ()))]
    kinds = sorted({panel["type"] for panel in every} - {"row"})
    needed = [{"type": "grafana", "id": "grafana", "name": "Grafana", "version": OLDEST_GRAFANA}]
    needed += [plugin("datasource", variable["query"], "1.0.0") for variable in sources]
    needed += [plugin("panel", kind, "") for kind in kinds]
    return {"__inputs": [asked_for(variable) for variable in sources], "__requires": needed, "id": None, **model}


def input_name(kind: str) -> str:
    return f"DS_{kind.upper()}"


def asked_for(variable: dict[str, Any]) -> dict[str, str]:
    """What an import asks for: the data source that a variable of the dashboard is set to."""
    kind = variable["query"]
    return {
        "name": input_name(kind),
        "label": variable["label"],
        "description": "",
        "type": "datasource",
        "pluginId": kind,
        "pluginName": NAMES[kind],
    }


def plugin(kind: str, name: str, version: str) -> dict[str, str]:
    return {"type": kind, "id": name, "name": NAMES[name], "version": version}
