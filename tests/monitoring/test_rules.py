# SPDX-License-Identifier: Apache-2.0
"""The committed rules, judged by promtool: silence first, then firing, with all labels and all texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..support.monitoring.programs import program, run
from ..support.monitoring.questions import RULE_FILES
from .cases import CASES
from .cases_of_answers import CASES_OF_ANSWERS
from .cases_of_storms import CASES_OF_STORMS
from .promtool import Case, judge, read_groups

ALL_CASES = (*CASES, *CASES_OF_ANSWERS, *CASES_OF_STORMS)


def test_promtool_accepts_the_rule_files() -> None:
    finished = run(program("promtool"), "check", "rules", *RULE_FILES)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.name)
def test_rules_fire_when_they_should(case: Case, tmp_path: Path) -> None:
    assert judge(case, tmp_path) == ""


def test_every_alert_has_been_seen_silent_and_firing() -> None:
    """Each rule of the file fires in some case, at a time after one at which it was silent."""
    rules = [rule for group in read_groups(RULE_FILES[1]) for rule in group["rules"]]
    expected = {(rule["alert"], *sorted(rule["labels"].items())) for rule in rules}
    fired = {
        (alert.alert, *sorted((name, value) for name, value in alert.labels.items() if name in rule_labels))
        for rule_labels in [{name for rule in rules for name in rule["labels"]}]
        for case in ALL_CASES
        for alerts in list(case.firing.values())[1:]
        for alert in alerts
        if alert not in next(iter(case.firing.values()))
    }
    assert expected == fired
