# SPDX-License-Identifier: Apache-2.0
"""Every file under `dashboards/` that is written and not kept by hand: a policy comes in, texts by path go out."""

from __future__ import annotations

import json
from typing import Any

import yaml

from after200.monitoring.alerts import alert_groups, provisioning
from after200.monitoring.boards import after_the_200, answers, attempts, budget, latency, tokens
from after200.monitoring.boards.frame import Board
from after200.monitoring.policy import Policy
from after200.monitoring.recording import recording_groups
from after200.monitoring.rendering import render_templates

LINE = 100
"""So long may an object be that stands on one line."""
HEADER = "# Written by after200 dashboards: change src/after200/monitoring, not this file.\n"


def render(policy: Policy) -> dict[str, str]:
    """The texts, by path relative to `dashboards/`."""
    models = {f"grafana/{board.uid}.json": board.model(policy) for board in all_boards(policy)}
    return {
        **{name: to_json(model) + "\n" for name, model in models.items()},
        "grafana-alerts/after200.yaml": to_yaml(provisioning(policy)),
        "prometheus/after200.rules.yml": to_yaml({"groups": recording_groups(policy)}),
        "prometheus/after200.alerts.yml": to_yaml({"groups": alert_groups(policy)}),
        **render_templates(policy),
    }


def all_boards(policy: Policy) -> list[Board]:
    """The dashboards, in the order of their files."""
    return [module.dashboard(policy) for module in (after_the_200, answers, latency, attempts, tokens, budget)]


def to_json(value: Any, margin: str = "") -> str:
    """JSON in which what has nothing nested in it stands on one line, if it is short, so that a change is few lines."""
    line = json.dumps(value, ensure_ascii=False)
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if not parts or (len(line) <= LINE and not any(isinstance(part, dict | list) for part in parts)):
        return line
    inner = margin + "  "
    texts = [to_json(part, inner) for part in parts]
    if isinstance(value, dict):
        texts = [f"{json.dumps(key, ensure_ascii=False)}: {text}" for key, text in zip(value, texts, strict=True)]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(texts) + f"\n{margin}{closing}"


def to_yaml(document: dict[str, Any]) -> str:
    return HEADER + yaml.safe_dump(document, sort_keys=False, width=1_000_000, allow_unicode=True)
