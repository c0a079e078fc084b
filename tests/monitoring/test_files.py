# SPDX-License-Identifier: Apache-2.0
"""`python -m after200.monitoring`: what it writes, what it finds out of date, and what it says to wrong input."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from after200 import names
from after200.cli import main as after200
from after200.installation import pip_install
from after200.monitoring import policy as policies
from after200.monitoring.__main__ import main
from after200.monitoring.alerts import all_alerts
from after200.monitoring.alerts.failures import ALERT_OF_FAILURE
from after200.monitoring.alerts.inhibition import FAILING, INHIBITIONS, SPECIAL
from after200.monitoring.places import ALERTS, panel_id

from ..support.monitoring.programs import DASHBOARDS, renders
from ..support.monitoring.queries import panels, panels_of, rules

EVERY_ALERT = policies.Policy(no_traffic_severity="warning")
"""The policy that has the alert which is off by default."""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    assert main(["--output", str(tmp_path)]) == 0
    return tmp_path


@renders
def test_the_committed_files_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--output", str(DASHBOARDS), "--check"]) == 0, capsys.readouterr().out


@renders
def test_a_file_that_differs_is_named(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = written / "prometheus" / "after200.alerts.yml"
    changed.write_text(changed.read_text(encoding="utf-8").replace("0.05", "0.06"), encoding="utf-8")
    assert main(["--output", str(written), "--check"]) == 1
    assert f"{changed} differs\n" in capsys.readouterr().out


@renders
def test_a_file_that_is_missing_is_named(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = written / "grafana" / "after200-calls.json"
    missing.unlink()
    assert main(["--output", str(written), "--check"]) == 1
    assert f"{missing} is missing\n" in capsys.readouterr().out


@renders
def test_a_file_that_nothing_writes_is_named(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stray = written / "runbooks" / "ClaudeGone.md"
    stray.write_text("", encoding="utf-8")
    assert main(["--output", str(written), "--check"]) == 1
    assert f"{stray} is written by nothing\n" in capsys.readouterr().out


@renders
def test_a_setting_changes_every_place_that_depends_on_it(tmp_path: Path) -> None:
    assert main(["--output", str(tmp_path), "--set", "slo_target=0.995", "--set", "runbooks=https://wiki"]) == 0
    alerts = (tmp_path / "prometheus/after200.alerts.yml").read_text(encoding="utf-8")
    budget = (tmp_path / "grafana/after200-budget.json").read_text(encoding="utf-8")
    assert "14.4 * 0.005" in alerts
    assert "runbook_url: https://wiki/ClaudeOverloaded.md" in alerts
    assert "vector(0.995)" in budget
    assert "0.01" not in re.findall(r"/ (0\.\d+)\"", budget)


@renders
@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("slo_targt=0.9", "cannot set 'slo_targt=0.9': accepted is name=value with one of window, middle_window"),
        ("slo_target", "cannot set 'slo_target': accepted is name=value"),
        ("slo_target=high", "cannot set slo_target to 'high'; write a number, as in slo_target=0.99"),
        ("slo_target=99", "slo_target=99.0 must be a share between 0 and 1"),
        ("end_calls=0", "end_calls=0 must be a whole number, 1 or more"),
        ("window=5", "window=5 must be a duration of Prometheus, such as 30s, 5m or 1h30m"),
        ("fast_window=5m", "fast_window=5m must be shorter than middle_window=2m"),
        ("middle_window=300s", "middle_window=5m must be shorter than window=5m"),
        ("window=1h", "window=1h must be shorter than 1h, as the error budget judges it"),
        ("evidence=-1", "evidence=-1.0 must be a number from 0 to 10"),
        ("absent_severity=off", "absent_severity=off must be warning or critical"),
        ("no_traffic_severity=page", "no_traffic_severity=page must be off, warning or critical"),
        ("minimum_failures=3", "cannot set 'minimum_failures=3': accepted is name=value with one of window"),
        ("grafana=somewhere", "grafana=somewhere must be a URL that begins with http:// or https://"),
        ("stall_seconds=10", "stall_seconds=10.0 is no bucket boundary of after200.stream.longest_gap"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, complaint: str, tmp_path: Path, capsys: Any) -> None:
    assert main(["--output", str(tmp_path), "--set", setting]) == 2
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@renders
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file", encoding="utf-8")
    assert main(["--output", str(taken)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"after200 dashboards: cannot write under {taken}: ")
    assert said.endswith("; choose a folder that can be written with --output\n")


@renders
def test_the_command_writes_the_same_files(tmp_path: Path) -> None:
    from after200.cli import main as after200

    assert after200(["dashboards", "--output", str(tmp_path)]) == 0
    assert main(["--output", str(tmp_path), "--check"]) == 0


def test_what_can_be_set_is_listed_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    from after200.cli import main as after200

    assert after200(["dashboards", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [field.name for field in fields(policies.Policy)] == [line.split()[0] for line in lines]
    line = next(line for line in lines if line.startswith("slo_target"))
    assert re.fullmatch(r"slo_target +0\.99 +the objective: the share of calls that should complete", line)


def test_every_setting_that_is_listed_can_be_set() -> None:
    policy = policies.Policy()
    for name, value in policies.values_of(policy).items():
        assert policies.with_settings(policy, [f"{name}={value}"]) == policy


def test_an_older_python_is_told_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    assert main(["--check"]) == 2
    assert "needs Python 3.11 or later, as grafana-foundation-sdk does; this is 3.10.13" in capsys.readouterr().err


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 11, 0))
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "after200.monitoring.files", raising=False)
    assert after200(["dashboards", "--check"]) == 2
    said = capsys.readouterr().err
    assert f"after200 dashboards needs yaml, which is not installed: {pip_install('monitoring')}\n" == said


def test_a_template_cannot_ask_for_what_does_not_exist() -> None:
    from after200.monitoring.rendering import fill, placeholders

    known = placeholders(policies.Policy())
    assert fill("page.md", "<<metric.calls>>", known) == "after200_calls_total"
    with pytest.raises(ValueError, match=r"template page\.md asks for <<metric\.cals>>"):
        fill("page.md", "<<metric.cals>>", known)


def test_a_query_cannot_be_written_for_an_attribute_that_its_metric_lacks() -> None:
    from after200.monitoring.promql import equals, select

    with pytest.raises(ValueError, match=r"after200\.attempts has no attribute 'after200\.outcome'"):
        select(names.ATTEMPTS, equals(names.OUTCOME, "failed"))


# --- what is in the files --------------------------------------------------------------------------------------------


def test_every_panel_says_what_it_shows() -> None:
    places = []
    for place, panel in panels():
        places.append(place)
        assert panel["title"], place
        assert len(panel["description"]) > 10, place
        assert panel["fieldConfig"]["defaults"]["unit"], place
        assert panel["datasource"]["uid"] in ("${datasource}", "${traces}", "${logs}"), place
    assert len(places) > 50
    assert len(set(places)) == len(places)


def test_a_panel_that_speaks_of_a_dashed_line_draws_one() -> None:
    spoken_of = {panel["title"] for _, panel in panels() if "Dashed: " in panel.get("description", "")}
    drawn = {panel["title"] for _, panel in panels() if "custom.lineStyle" in json.dumps(panel["fieldConfig"])}
    assert spoken_of
    assert set() == spoken_of - drawn


def test_dashboards_have_stable_uids_and_lead_to_each_other() -> None:
    for path in sorted((DASHBOARDS / "grafana").glob("*.json")):
        model = json.loads(path.read_text(encoding="utf-8"))
        assert model["uid"] == path.stem
        assert model["tags"] == ["after200"]
        assert [(link["tags"], link["includeVars"], link["keepTime"]) for link in model["links"]] == [
            (["after200"], True, True)
        ]
        chosen = {"datasource", "job", "instance", "provider", "model", "raw"}
        if path.stem == "after200-budget":  # every query there is on recorded series, which have no instance
            chosen -= {"instance", "raw"}
        assert chosen <= {variable["name"] for variable in model["templating"]["list"]}


def test_dashboards_are_small_enough_to_be_read_in_a_review() -> None:
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (DASHBOARDS / "grafana").glob("*.json"))
    assert lines < 12_000


def test_graphs_by_model_leave_colors_to_grafanas_palette_by_name() -> None:
    graphs = [panel for _, panel in panels() if panel["type"] == "timeseries"]
    of_models = [panel for panel in graphs if "{{gen_ai_request_model}}" in str(panel["targets"])]
    assert len(of_models) > 5
    for panel in of_models:
        assert panel["fieldConfig"]["defaults"]["color"] == {"mode": "palette-classic-by-name"}, panel["title"]


def test_no_two_panels_overlap_and_none_leaves_the_grid() -> None:
    for path in sorted((DASHBOARDS / "grafana").glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        # What a collapsed row holds has a place of its own, below the row.
        for panels_together in (board["panels"], *(row["panels"] for row in board["panels"] if row.get("panels"))):
            taken: set[tuple[int, int]] = set()
            for panel in panels_together:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                assert at["x"] + at["w"] <= 24, panel["title"]
                assert not cells & taken, f"{path.stem}: {panel['title']}"
                taken |= cells


def test_ids_of_panels_are_unique_and_depend_on_their_titles() -> None:
    for path in sorted((DASHBOARDS / "grafana").glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        ids = [panel["id"] for panel in board["panels"] if panel["type"] == "row"]
        for panel in panels_of(board):
            assert panel["id"] == panel_id(panel["title"])
            ids.append(panel["id"])
        assert len(set(ids)) == len(ids), path.stem


def test_every_alert_leads_to_a_panel_and_the_panel_to_its_runbook() -> None:
    known = {
        (path.stem, panel["title"]): [link["title"] for link in panel["links"]]
        for path in (DASHBOARDS / "grafana").glob("*.json")
        for panel in panels_of(json.loads(path.read_text(encoding="utf-8")))
    }
    for alert, place in ALERTS.items():
        assert f"Runbook: {alert}" in known[place]
    assert ALERTS.keys() == {alert.name for alert in all_alerts(EVERY_ALERT)}


def test_no_group_of_rules_is_longer_than_mimir_accepts() -> None:
    import yaml

    for path in (DASHBOARDS / "prometheus").glob("*.yml"):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            assert len(group["rules"]) <= 20, group["name"]


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    pages = {path.stem for path in (DASHBOARDS / "runbooks").glob("Claude*.md")}
    alerts = {alert.name for alert in all_alerts(EVERY_ALERT)}
    assert alerts == pages
    for name in alerts:
        text = (DASHBOARDS / "runbooks" / f"{name}.md").read_text(encoding="utf-8")
        for heading in ("## What it means", "## Confirm", "## What to do", "## Whom to tell"):
            assert heading in text, name
        assert "```promql" in text, name


def test_a_runbook_that_sends_its_reader_to_a_status_page_says_where_it_is() -> None:
    for path in (DASHBOARDS / "runbooks").glob("Claude*.md"):
        text = path.read_text(encoding="utf-8")
        if "tatus page" in text:
            assert [] == [page for page in names.STATUS_PAGES.values() if f"<{page}>" not in text], path.name


def test_links_from_runbooks_open_a_dashboard_on_the_last_hours() -> None:
    known = {path.stem for path in (DASHBOARDS / "grafana").glob("*.json")}
    for path in (DASHBOARDS / "runbooks").glob("Claude*.md"):
        links = re.findall(r"/d/([a-z0-9-]+)(\S*)\)", path.read_text(encoding="utf-8"))
        assert links, path.name
        assert all(uid in known and query == "?from=now-3h&to=now" for uid, query in links), path.name


def test_no_failure_of_the_contract_is_without_an_alert_that_names_it() -> None:
    assert set(get_args(names.Failure)) == set(ALERT_OF_FAILURE)
    assert [] == [alert for alert in ALERT_OF_FAILURE.values() if alert not in ALERTS]


def test_inhibition_leads_from_the_special_to_the_general_and_never_in_a_circle() -> None:
    pages = [
        (source, target)
        for one in INHIBITIONS
        if one.source[0] == one.target[0] == "critical"
        for source in one.source[1]
        for target in one.target[1]
    ]
    assert not any((target, source) in pages for source, target in pages)
    # Of all alerts on calls that fail, the kinds of failure are silenced by none.
    assert set(FAILING) - set(SPECIAL) == {target for _, target in pages}


def test_links_between_runbooks_lead_somewhere() -> None:
    for path in (DASHBOARDS / "runbooks").glob("*.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name} → {target}"


def test_grafana_manages_the_same_alerts() -> None:
    import yaml

    managed = yaml.safe_load((DASHBOARDS / "grafana-alerts/after200.yaml").read_text(encoding="utf-8"))
    (group,) = managed["groups"]
    theirs = [
        (rule["data"][0]["model"]["expr"], rule["labels"], rule["for"], rule.get("keepFiringFor"))
        for rule in group["rules"]
    ]
    ours = [
        # Grafana holds a condition for as long as its own interval at least.
        (rule["expr"], rule["labels"], rule.get("for", "0s").replace("15s", "30s"), rule.get("keep_firing_for"))
        for rule in rules()
        if "alert" in rule
    ]
    assert ours == theirs
    assert group["interval"] == "30s"
    assert len({rule["uid"] for rule in group["rules"]}) == len(ours)
    assert all(len(rule["uid"]) <= 40 for rule in group["rules"])  # Grafana accepts no longer ones
    assert "$value " not in str(managed)
    texts = str([rule["annotations"] for rule in group["rules"]])
    assert not re.search(r"\bquery\b", texts)  # Grafana's templates have no such function


def test_what_the_compose_file_mounts_is_there() -> None:
    import yaml

    stack = DASHBOARDS / "stack"
    services = yaml.safe_load((stack / "compose.yaml").read_text(encoding="utf-8"))["services"]
    mounts = [mount for service in services.values() for mount in service.get("volumes", ()) if mount.startswith(".")]
    assert len(mounts) >= 7
    assert [] == [mount for mount in mounts if not (stack / mount.split(":")[0]).exists()]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no release of grafana-foundation-sdk supports this Python")
def test_a_board_by_an_entry_of_the_baggage_has_a_variable_and_tables_and_leaves_the_rules_as_they_are() -> None:
    import promql_parser

    from after200.monitoring.files import render

    from ..support.monitoring.queries import substituted

    plain, by = render(policies.Policy()), render(policies.with_settings(policies.Policy(), ["by=tenant.id"]))
    assert {"grafana/after200-calls.json"} == {name for name in plain if plain[name] != by[name]}
    board = json.loads(by["grafana/after200-calls.json"])
    [variable] = [each for each in board["templating"]["list"] if each["name"] == "by"]
    assert 'label_values(after200_calls_total{job=~"$job"}, tenant_id)' in json.dumps(variable["query"])[1:-1].replace(
        '\\"', '"'
    )
    tables = {panel["title"]: panel["targets"][0]["expr"] for panel in board["panels"] if "tenant.id" in panel["title"]
              and panel["type"] == "table"}  # fmt: skip
    assert {"Calls by tenant.id", "Failed calls by tenant.id"} == tables.keys()
    for expr in tables.values():
        assert 'tenant_id=~"$by"' in expr
        assert "by (tenant_id, " in expr
        promql_parser.parse(substituted(expr).replace("$by", ".*"))
    with pytest.raises(ValueError, match=r"must be the name of a baggage entry, such as tenant\.id"):
        policies.with_settings(policies.Policy(), ["by=tenant id"])
