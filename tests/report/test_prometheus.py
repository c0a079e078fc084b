# SPDX-License-Identifier: Apache-2.0
"""The report from a real Prometheus, after real calls with faults: every number is that of the fault server's log."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from after200.cli.chat import RETRIES
from after200.cli.endings import totals
from after200.cli.reconcile import Account, expected_account, expected_answered
from after200.cli.report.command import main
from after200.faults import FaultServer

from ..support.monitoring.applications import ChatService
from ..support.monitoring.programs import ROOT, program
from ..support.monitoring.servers import Prometheus, prometheus
from ..support.ports import free_port

MIX = {
    "overloaded": 0.15,
    "api_error": 0.05,
    "truncated": 0.05,
    "http_400": 0.05,
    "http_529": 0.05,
    "refused": 0.05,
    "retry_after": 0.03,
    "enforced_spend_limit_reached_mid_stream": 0.03,
}
CALLS = 50
"""How many calls each of the two processes makes."""


class Run(NamedTuple):
    """What happened: two processes, one after the other, the first of which has ended."""

    prometheus: Prometheus
    account: Account
    answered: Any
    log: list[Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    program("prometheus3")
    folder = tmp_path_factory.mktemp("report")
    with ExitStack() as stack:
        nobody = f"127.0.0.1:{free_port()}"
        server = prometheus(stack, folder, nobody, [], "prometheus3", "--web.enable-otlp-receiver")
        faults = stack.enter_context(FaultServer(mix=MIX, seed=11, rate_limits={"requests": 500}))
        telemetry = {
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{server.url}/api/v1/otlp/v1/metrics",
        }
        left = set()
        for number in (1, 2):
            instance = {"OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id=chat-{number}"}
            with ChatService("chat", faults.base_url("mix"), telemetry | instance) as chat:
                left |= {reply["request_id"] for reply in chat.ask(CALLS) if reply["result"] == "left"}
            server.wait_for_value("sum(after200_calls_total)", number * CALLS)
        log = list(faults.wait_idle())
        server.evaluate(2)
        yield Run(server, expected_account(log, left, RETRIES), expected_answered(log, left, RETRIES), log)


def report(run: Run, *options: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert 0 == main([f"--prometheus={run.prometheus.url}", "--since=10m", *options])
    return capsys.readouterr().out


def test_every_number_is_that_of_the_fault_servers_log(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(report(run, "--json", capsys=capsys))
    calls = run.account.calls
    ended = totals(calls)
    assert ended._asdict() == {name: found[name] for name in ended._asdict()}
    assert 2 * CALLS == ended.calls
    [model] = found["models"]
    assert {"provider": "anthropic", "model": "claude-sonnet-4-5", **ended._asdict()} == model
    failed: Counter[tuple[Any, ...]] = Counter()
    for each in found["failed_calls"]:
        failed[each["error_type"], each["status"], each["wire_status"]] += each["calls"]
    assert {(e.error_type, e.status, e.wire_status): n for e, n in calls.items() if e.is_error} == failed
    assert {str(status or ""): n for status, n in run.account.attempts.items()} == found["attempts"]
    kinds: Counter[str] = Counter()
    for answer, number in run.answered.answers.items():
        kinds[answer.kind] += number
    assert kinds == found["answers"]
    tokens: Counter[str] = Counter()
    for token, number in run.answered.tokens.items():
        tokens[token.type] += number
    assert +tokens == found["tokens"]
    steps: Counter[str] = Counter()
    for step in found["steps"]:
        steps.update({name: step[name] for name in ended._asdict()})
    assert ended._asdict() == {name: steps[name] for name in ended._asdict()}
    assert ended.hidden + ended.failed == sum(found["whose"].values())
    assert (
        sum(n for e, n in calls.items() if e.error_type in ("invalid_request_error", "billing_error"))
        <= (found["whose"]["the caller"])
    )
    assert ended.hidden + ended.failed >= sum(each["failed"] for each in found["periods"]) > 0
    now = time.time()
    assert all(now - 700 < each["begin"] < each["end"] < now + 60 for each in found["periods"])


def test_the_alerts_that_fired_are_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(report(run, "--json", capsys=capsys))
    assert {"ClaudeHiddenFailures"} <= {each["name"] for each in found["alerts"]}
    assert not any("not loaded" in note for note in found["notes"])


def test_the_page_says_what_happened_in_sentences_and_tables(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    page = report(run, capsys=capsys)
    ended = totals(run.account.calls)
    assert f"HTTP says {ended.http_ok} of {ended.calls} calls succeeded; {ended.completed} did." in page
    for heading in (
        "# What happened to the calls to Claude",
        "## When it began and ended",
        "## What HTTP claimed, and what was true",
        "## Why calls failed, and whose fault it was",
        "## What users felt: waits and retries",
        "## Tokens billed for calls that failed",
        "## Rate limits at the time",
        "## Request ids for the provider's support",
    ):
        assert heading in page.splitlines()
    tables = re.findall(r"(?:^\|.*\|$\n)+", page, re.M)
    assert all(len({line.count("|") for line in table.splitlines()}) == 1 for table in tables)
    overloaded = sum(n for ending, n in run.account.calls.items() if ending.error_type == "overloaded_error"
                     and ending.wire_status == 200)  # fmt: skip
    assert f"| overloaded | `overloaded_error` | - | 529 | 200 | the provider | {overloaded} |" in page


def test_the_page_of_html_has_its_pictures_in_it_and_loads_nothing(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(run, f"--output={tmp_path / 'report.html'}", capsys=capsys)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert 2 == page.count("<svg ")
    assert re.search(r'<rect x="[\d.]+" y="[\d.]+" .* failed after 200</title>', page)
    assert [] == re.findall(r'(?:src|href)="[^"]*"', page)


def test_a_time_without_calls_is_said_to_have_none(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main([f"--prometheus={run.prometheus.url}", "--from=2020-01-01T00:00Z", "--to=2020-01-01T01:00Z"])
    said = capsys.readouterr().out
    assert (
        "Prometheus has no calls in this time. It has `after200_calls_total` now: is the time right, and --job?" in said
    )
    assert 1 == main([f"--prometheus={run.prometheus.url}", "--job=nobody"])
    assert "Prometheus has no calls in this time." in capsys.readouterr().out


def test_a_query_that_prometheus_refuses_is_said_as_it_is(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main([f"--prometheus={run.prometheus.url}/nowhere"])
    assert "after200 report: Prometheus at http://127.0.0.1:" in (said := capsys.readouterr().err)
    assert " answers 404 to " in said


def commands(page: str) -> list[list[str]]:
    """The commands of a page that ask a Prometheus."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [line.split()[2:] for line in re.findall(r"^after200 report .*$", text, re.M)]


@pytest.mark.parametrize(("page", "number"), [("README.md", 1), ("docs/report.md", 2)])
def test_the_commands_of_the_documentation_write_a_report(
    run: Run,
    page: str,
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert number == len(commands(page))
    for options in commands(page):
        day = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - 3600))
        given = [re.sub(r"^2026-11-29T10:00Z$", f"{day}Z", word) for word in options]
        to = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(time.time() + 60))
        given = [re.sub(r"^2026-11-29T12:30Z$", to, word) for word in given]
        assert 0 == main([word.replace("http://localhost:9090", run.prometheus.url) for word in given])
        said = capsys.readouterr().out or (tmp_path / options[-1]).read_text(encoding="utf-8")
        assert "What happened to the calls to Claude" in said
