# SPDX-License-Identifier: Apache-2.0
"""The files that are mostly prose or configuration: templates and a policy come in, finished texts go out.

A template names what it needs as `<<metric.calls>>`, `<<label.outcome>>`, `<<policy.window>>`; a name that does not
exist is an error, so a renamed metric cannot leave a stale page behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from after200 import names
from after200.monitoring import recording as r
from after200.monitoring.alerts import all_alerts, inhibition
from after200.monitoring.alerts.failures import ALERT_OF_FAILURE
from after200.monitoring.policy import KINDS, Policy
from after200.monitoring.symptoms import KINDS as KINDS_OF_SYMPTOM
from after200.names import errors
from after200.names.prometheus import label, metric_names

TEMPLATES = Path(__file__).parent / "templates"
FRAGMENTS = Path(__file__).parent / "fragments"
"""What several templates say: named in them as `<<fragment.support>>`."""
PLACEHOLDER = re.compile(r"<<([a-zA-Z0-9_.]+)>>")


def render_templates(policy: Policy) -> dict[str, str]:
    """Every templated file by its path under `dashboards/`."""
    known = placeholders(policy)
    paths = sorted(path for path in TEMPLATES.rglob("*") if path.is_file())
    texts = {path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return {path: fill(path, text, known) for path, text in texts.items()}


def fill(path: str, text: str, known: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise ValueError(f"template {path} asks for {match[0]}: known are {', '.join(sorted(known))}")
        return known[match[1]]

    return PLACEHOLDER.sub(value, text)


def placeholders(policy: Policy) -> dict[str, str]:
    """Everything that a template may name."""
    known = {"policy.error_budget": f"{policy.error_budget:g}"}
    for field in fields(policy):
        value = getattr(policy, field.name)
        known[f"policy.{field.name}"] = f"{value:g}" if isinstance(value, float) else str(value)
        if KINDS[field.name] == "share":
            known[f"percent.{field.name}"] = f"{value * 100:g} %"
    for constant, attribute in vars(names).items():
        if isinstance(attribute, str) and constant.isupper():
            known[f"attribute.{constant.lower()}"] = attribute
            known[f"label.{constant.lower()}"] = label(attribute)
        if isinstance(attribute, names.Metric):
            for series in metric_names(attribute):
                part = series.rpartition("_")[2] if attribute.kind == "histogram" else ""
                known["_".join(filter(None, (f"metric.{constant.lower()}", part)))] = series
    known |= failure_lists()
    known["recorded.bad"] = "\n```\n\n```promql\n".join(f"{r.BAD}:ratio{w}" for w in policy.longer_windows)
    known["table.burn_windows"] = "\n".join(
        f"| {b.severity} | {b.long} | {b.short} | {b.factor:g} | {b.hold} |" for b in policy.burns
    )
    known["table.alerts"] = alert_table(policy)
    known["alertmanager.inhibit_rules"] = inhibition.as_yaml()
    fragments = {f"fragment.{path.stem}": path.read_text(encoding="utf-8").rstrip() for path in FRAGMENTS.glob("*.md")}
    return known | {name: fill(name, text, known) for name, text in fragments.items()}


def failure_lists() -> dict[str, str]:
    """Which failures an alert stands for, which alert names a failure, and where the providers say how they are."""
    groups: dict[str, Iterable[str]] = {kind.name: kind.failures for kind in KINDS_OF_SYMPTOM}
    groups |= {
        "caller_faults": errors.CALLER_FAULTS,
        "all_failures": names.FAILURES,
        "error_outcomes": names.ERROR_OUTCOMES,
    }
    rows = [f"| `{failure}` | [{alert}]({alert}.md) |" for failure, alert in ALERT_OF_FAILURE.items()]
    pages = [f"| `{provider}` | <{page}> |" for provider, page in names.STATUS_PAGES.items()]
    return {
        **{f"list.{name}": ", ".join(f"`{failure}`" for failure in group) for name, group in groups.items()},
        **{f"regex.{name}": "|".join(group) for name, group in groups.items()},
        "table.failures": "\n".join(["| failure | runbook |", "|---|---|", *rows]),
        "table.status_pages": "\n".join(["| provider | status page |", "|---|---|", *pages]),
    }


def alert_table(policy: Policy) -> str:
    severities: dict[str, list[str]] = {}
    summaries = {alert.name: alert.summary for alert in all_alerts(policy)}
    for alert in all_alerts(policy):
        if alert.severity not in severities.setdefault(alert.name, []):
            severities[alert.name].append(alert.severity)
    rows = [f"| [{name}]({name}.md) | {', '.join(severities[name])} | {text} |" for name, text in summaries.items()]
    return "\n".join(["| alert | severity | says |", "|---|---|---|", *rows])
