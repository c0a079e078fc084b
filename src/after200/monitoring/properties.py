# SPDX-License-Identifier: Apache-2.0
"""Properties of panels: colours of values, words in place of values, and links that narrow the dashboard down."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.models import dashboard as dm

from after200 import names
from after200.monitoring import colors

THIS_BOARD: Final = "<this dashboard>"
"""Stands for the uid of the dashboard that a panel is laid out on."""
Builder = Any
"""Any other builder. Their methods return `typing.Self`, which type checkers do not know for Python 3.10."""


def variable_of(attribute: str) -> str:
    """The variable that chooses among the values of an attribute."""
    return {names.REQUEST_MODEL: "model", names.PROVIDER_NAME: "provider", "job": "job"}[attribute]


def thresholds(*steps: tuple[float, str]) -> Builder:
    """What is no number, and what is below the first step, has no judgement."""
    levels = [
        dm.Threshold(value=None, color=colors.NEUTRAL),
        *(dm.Threshold(value=at, color=color) for at, color in steps),
    ]
    return d.ThresholdsConfig().mode(dm.ThresholdsMode.ABSOLUTE).steps(levels)


def property_of(name: str, value: Any) -> dm.DynamicConfigValue:
    return dm.DynamicConfigValue(id_val=name, value=value)


def fixed_color(color: str) -> dm.DynamicConfigValue:
    return property_of("color", {"mode": "fixed", "fixedColor": color})


def links(*urls: dict[str, Any]) -> dm.DynamicConfigValue:
    return property_of("links", list(urls))


def narrow(variable: str, value: str) -> dict[str, Any]:
    """A link to the same dashboard, at the same time, that keeps the other variables and sets this one."""
    kept = "".join(
        f"&${{{name}:queryparam}}" for name in ("datasource", "job", "provider", "model") if name != variable
    )
    return {
        "title": f"Show only this {variable}",
        "url": f"/d/{THIS_BOARD}?${{__url_time_range}}{kept}&var-{variable}={value}",
        "targetBlank": False,
    }


def below(limit: float, text: str, color: str) -> dict[str, Any]:
    """A mapping: a word in place of every value below the limit."""
    return {
        "type": "range",
        "options": {"from": None, "to": limit, "result": {"text": text, "color": color, "index": 0}},
    }
