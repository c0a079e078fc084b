# SPDX-License-Identifier: Apache-2.0
"""The report from a real Prometheus whose data was written for it: an outage, a gap, and no recording rules."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import yaml

from after200 import names
from after200.cli.report.command import main
from after200.names.prometheus import label, metric_name

from ..support.monitoring.programs import program
from ..support.monitoring.servers import Process
from ..support.ports import free_port

BEGIN = 1_764_000_000
"""2025-11-24 16:00:00 UTC."""

CALM, OUTAGE, GAP = range(10, 60), range(20, 30), range(40, 50)
"""Minutes after the beginning: in which calls are made, in which they fail, and of which nothing was stored."""

NAME = metric_name(names.CALLS)
LABELS = {"job": "chat", label(names.PROVIDER_NAME): "anthropic", label(names.REQUEST_MODEL): "claude_5"}
GOOD = {label(names.OUTCOME): "completed", label(names.HTTP_STATUS): "200", label(names.WIRE_STATUS): "200"}
BAD = {label(names.OUTCOME): "failed", label(names.ERROR_TYPE): "api_error", label(names.FAILURE): "server_error"}
BAD |= {label(names.HTTP_STATUS): "500", label(names.WIRE_STATUS): "200"}


TENANT = label("tenant.id")
SLOW = "exports-every-minute"
"""A job whose exports take a second each, so that they come every 61 seconds."""


def samples() -> Iterator[str]:
    """Ten calls a minute, of which nine fail in the outage, every 15 seconds, and another job; as OpenMetrics."""
    yield f"# TYPE {NAME.removesuffix('_total')} counter"
    for kind, in_calm, in_outage in ((GOOD, 10, 1), (BAD, 0, 9)):
        written = ",".join(f'{name}="{value}"' for name, value in {**LABELS, **kind}.items())
        value = 0.0
        for quarter in range(CALM.start * 4, CALM.stop * 4):
            value += (in_outage if quarter // 4 in OUTAGE else in_calm) / 4
            if quarter // 4 not in GAP:
                yield f"{NAME}{{{written}}} {int(value)} {BEGIN + quarter * 15 + 15}"
    written = ",".join(f'{name}="{value}"' for name, value in {**LABELS, "job": SLOW, **GOOD, TENANT: "acme"}.items())
    for number, time in enumerate(range(0, 3600, 61)):
        yield f"{NAME}{{{written}}} {number} {BEGIN + time}"
    yield "# EOF\n"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("written")
    (folder / "samples.txt").write_text("\n".join(samples()), encoding="utf-8")
    blocks = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
    subprocess.run([*blocks, str(folder / "samples.txt"), str(folder / "tsdb")], check=True, capture_output=True)
    (folder / "prometheus.yml").write_text(yaml.safe_dump({"global": {}}), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [
        program("prometheus3"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={address}",
    ]
    with ExitStack() as stack:
        stack.enter_context(Process(command, ready="Server is ready"))
        yield f"http://{address}"


def asked(url: str, *options: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert 0 == main([f"--prometheus={url}", f"--from={BEGIN}", f"--to={BEGIN + 3600}", *options])
    return capsys.readouterr().out


def test_the_outage_is_found_to_the_minute_with_its_evidence(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(asked(url, "--json", "--job=chat", capsys=capsys))
    minute = BEGIN + 60 * OUTAGE.start
    assert [(minute, minute + 600)] == [(each["begin"], each["end"]) for each in found["periods"]]
    assert (500 - 90, 90) == (found["completed"], found["hidden"])


def test_a_prometheus_without_the_rules_and_with_a_gap_is_said_to_be_one(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = json.loads(asked(url, "--json", "--job=chat", capsys=capsys))["notes"]
    assert [
        "The recording rules and alerts of after200 are not loaded in this Prometheus, so no alert can have fired. The "
        "numbers of this report come from the raw metrics and do not need them.",
        "Prometheus has no values from 2025-11-24 16:40:00 to 16:50:30 UTC: the calls of that time are counted at its "
        "end, or not at all where the process has gone.",
    ] == notes


def test_the_page_of_a_small_outage_reads_well(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = asked(url, "--job=chat", capsys=capsys)
    assert "From 2025-11-24 16:20:00 to 16:30:00 UTC (10 minutes): 90 of 100 calls failed (90.0%)." in page
    assert "The evidence is the number of failed calls in each step of 30 seconds." in page
    assert "## The failures, in steps of 30 seconds" in page.splitlines()
    assert "The application left" not in page, "none did"
    assert "| `claude_5` | anthropic | 500 | 500 | 410 | 90 | 0 | 0 | 82.0% |" in page


def test_the_time_between_two_exports_is_no_gap(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(asked(url, "--json", f"--job={SLOW}", capsys=capsys))
    assert (59, 30) == (found["calls"], found["step"])
    assert [] == [note for note in found["notes"] if "no values" in note]


def test_calls_are_counted_by_an_entry_of_the_baggage_too(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(asked(url, "--json", "--by=tenant.id", capsys=capsys))
    values = [(each["value"], each["calls"], each["completed"], each["hidden"]) for each in found["entries"]]
    assert ("tenant.id", [("", 500, 410, 90), ("acme", 59, 59, 0)]) == (found["by"], values)
    page = asked(url, "--by=tenant.id", capsys=capsys)
    assert "## Whose calls failed, by tenant.id" in page.splitlines()
    assert "| none | 500 | 500 | 410 | 90 | 0 | 0 | 82.0% |" in page
    assert "| acme | 59 | 59 | 59 | 0 | 0 | 0 | 100.0% |" in page
    nobody = asked(url, "--by=app.route", capsys=capsys)
    assert "No call has app.route: is the name right, and does the service set `metric_baggage`" in nobody
    assert "entries" not in asked(url, capsys=capsys)
