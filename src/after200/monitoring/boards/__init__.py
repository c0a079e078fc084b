# SPDX-License-Identifier: Apache-2.0
"""The five dashboards: a policy comes in, one JSON model per file name goes out. One module per dashboard."""

from __future__ import annotations

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from after200.monitoring.boards import after_the_200, attempts, budget, latency, tokens
from after200.monitoring.policy import Policy


def dashboards(policy: Policy) -> dict[str, dict[str, Any]]:
    """Every dashboard as Grafana imports it, by the name of its file."""
    boards = [module.dashboard(policy).build() for module in (after_the_200, latency, attempts, tokens, budget)]
    models: list[dict[str, Any]] = [json.loads(json.dumps(board, cls=JSONEncoder)) for board in boards]
    return {f"{model['uid']}.json": finished(model) for model in models}


def finished(model: dict[str, Any]) -> dict[str, Any]:
    """The model as Grafana itself would save it.

    Panels get ids that stay the same as long as their order does, so that links to panels hold. The query of an
    annotation goes where newer versions have it, and what belongs to interval variables only goes.
    """
    for number, panel in enumerate(model["panels"], start=1):
        panel["id"] = number
    for annotation in model["annotations"]["list"]:
        annotation["target"] = {"refId": "Anno", "expr": annotation.pop("expr")}
    for variable in model["templating"]["list"]:
        for name in ("auto", "auto_min", "auto_count"):
            variable.pop(name, None)
    return model
