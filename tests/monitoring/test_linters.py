# SPDX-License-Identifier: Apache-2.0
"""What others' checkers say of the committed files: pint, dashboard-linter, Grafana's schema, amtool, otelcol."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..support.monitoring.programs import CACHE, DASHBOARDS, program, run
from ..support.monitoring.queries import rules
from ..support.not_run import SERVERS

SCHEMA = """
import { AnnotationQuery, Dashboard, DataQuery, FieldColorModeId, MappingType, ThresholdsMode } from "@grafana/schema";
interface PrometheusQuery extends DataQuery { expr: string }
interface Annotation extends AnnotationQuery<PrometheusQuery> { titleFormat?: string; textFormat?: string }
type Board = Omit<Dashboard, "annotations"> & { annotations: { list: Annotation[] } };
"""
BOARDS = sorted((DASHBOARDS / "grafana").glob("*.json"))


def test_pint_finds_nothing_in_the_rules() -> None:
    files = sorted((DASHBOARDS / "prometheus").glob("*.yml"))
    config = Path(__file__).with_name("pint.hcl")
    options = ("--no-color", f"--config={config}", "lint", "--min-severity=info", "--fail-on=info")
    finished = run(program("pint"), *options, *files)
    assert finished.returncode == 0, finished.stdout
    assert f"entries={len(rules())}" in finished.stdout


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_dashboard_linter_finds_nothing_but_what_is_excused(board: Path) -> None:
    excuses = DASHBOARDS / "grafana" / ".lint"
    finished = run(program("dashboard-linter"), "lint", "--strict", "--config", excuses, board)
    assert finished.returncode == 0, finished.stdout


def test_dashboards_are_what_grafanas_schema_calls_a_dashboard(tmp_path: Path) -> None:
    modules = CACHE / "npm" / "node_modules"
    if not (modules / ".bin" / "tsc").exists():
        pytest.skip(f"@grafana/schema is not installed: {SERVERS}")
    (tmp_path / "node_modules").symlink_to(modules)
    lines = [SCHEMA]
    for number, board in enumerate(BOARDS):
        # Enumerations that a literal of JSON cannot stand for.
        text = board.read_text(encoding="utf-8").replace('"mode": "absolute"', '"mode": ThresholdsMode.Absolute')
        text = text.replace('"type": "range"', '"type": MappingType.RangeToText')
        by_name = "FieldColorModeId.PaletteClassicByName"
        text = text.replace('"mode": "palette-classic-by-name"', f'"mode": {by_name}')
        text = text.replace('"type": "value"', '"type": MappingType.ValueToText')
        lines.append(f"export const board{number}: Board = {text};")
    source = tmp_path / "dashboards.ts"
    source.write_text("\n".join(lines), encoding="utf-8")
    options = ("--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "bundler", "--module", "esnext")
    finished = run(modules / ".bin" / "tsc", *options, source)
    assert finished.returncode == 0, finished.stdout


def test_alertmanager_accepts_its_configuration() -> None:
    finished = run(program("amtool"), "check-config", DASHBOARDS / "stack/alertmanager/alertmanager.yml")
    assert finished.returncode == 0, finished.stdout


def test_the_collector_accepts_its_configuration() -> None:
    configuration = DASHBOARDS / "stack/collector/collector.yaml"
    finished = run(program("otelcol"), "validate", f"--config={configuration}")
    assert finished.returncode == 0, finished.stdout
