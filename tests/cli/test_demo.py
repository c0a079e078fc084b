# SPDX-License-Identifier: Apache-2.0
"""`after200 demo` as people run it: in a process of its own, over real sockets, on real OTLP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from after200.cli import chat
from after200.cli.chat import ChatFailedError, run_chat_service
from after200.cli.demo import RATE_LIMITS, main

from ..support.neighbours.environments import CannotInstallError, interpreter, package_in
from ..support.neighbours.litellm import LITELLM
from ..support.patience import PATIENCE_S

CALLS = 250


def demo(*options: str, python: str = sys.executable, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the demo in the environment of `python`, with these options and environment variables."""
    command = [python, "-m", "after200.cli", "demo", *options]
    return subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def result_of(finished: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(finished.stdout)
    return result


@pytest.fixture(scope="module")
def finished() -> subprocess.CompletedProcess[str]:
    return demo(f"--calls={CALLS}", "--seed=7", "--json")


def test_the_exported_counts_equal_the_server_s_log(finished: subprocess.CompletedProcess[str]) -> None:
    result = result_of(finished)
    assert [] == result["differences"]
    assert 0 == finished.returncode, finished.stderr
    assert CALLS == sum(entry["calls"] for entry in result["after200"])
    assert CALLS == sum(result["http"].values())
    assert CALLS == sum(result["application"].values())


def test_calls_through_an_http_library_equal_the_server_s_log_and_the_application_takes_failures_for_answers() -> None:
    finished = demo("--calls=60", "--client=httpx", "--json")
    result = result_of(finished)
    assert ([], 0) == (result["differences"], finished.returncode), finished.stderr
    assert "httpx" == result["span"]["attributes"]["after200.client"]
    assert result["application"]["answered"] > result["completed"]
    assert 60 == sum(entry["calls"] for entry in result["after200"])


@pytest.mark.repeats("neighbours/test_litellm.py")
def test_calls_through_litellm_equal_the_server_s_log(tmp_path: Path) -> None:
    try:
        python = interpreter(LITELLM)
    except CannotInstallError as error:
        pytest.skip(f"the environment of LiteLLM cannot be made: {error}")
    finished = demo("--calls=20", "--client=litellm", "--json", python=str(python), PYTHONPATH=package_in(tmp_path))
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    result = result_of(finished)
    assert [] == result["differences"]
    assert "httpx" == result["span"]["attributes"]["after200.client"]
    assert 20 == sum(entry["calls"] for entry in result["after200"]) == sum(result["application"].values())


def test_a_client_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "find_spec", lambda name: None)
    with pytest.raises(ChatFailedError, match=r"^litellm is not installed in this environment: pip install litellm$"):
        next(run_chat_service("http://127.0.0.1:9", "http://127.0.0.1:9", 1, 1, "litellm"))


def test_http_claims_more_than_was_true(finished: subprocess.CompletedProcess[str]) -> None:
    result = result_of(finished)
    hidden = [entry for entry in result["after200"] if entry["wire_status"] == 200 and entry["error_type"]]
    assert result["failed_after_200"] == sum(entry["calls"] for entry in hidden) > 0
    assert result["completed"] + result["left"] + result["failed"] == CALLS
    assert result["http_succeeded"] == result["completed"] + result["left"] + result["failed_after_200"]
    assert result["summary"].startswith(f"HTTP says {result['http_succeeded']} of {CALLS} succeeded; ")


def test_the_span_it_shows_failed_after_the_200(finished: subprocess.CompletedProcess[str]) -> None:
    span = result_of(finished)["span"]
    attributes = span["attributes"]
    assert ("ERROR", "failed", "mid_stream", 200) == (
        span["status"],
        attributes["after200.outcome"],
        attributes["after200.phase"],
        attributes["after200.wire.status_code"],
    )
    assert attributes["http.response.status_code"] >= 400


def test_it_says_what_the_calls_with_a_200_hid(finished: subprocess.CompletedProcess[str]) -> None:
    result = result_of(finished)
    answers = Counter({entry["answer"]: 0 for entry in result["answers"]})
    for entry in result["answers"]:
        answers[entry["answer"]] += entry["calls"]
    assert {"complete", "cut", "refused"} <= answers.keys()
    assert result["completed"] == answers.total()
    assert result["complete"] == answers["complete"] < result["completed"]
    assert any(entry["fallback"] for entry in result["answers"])
    assert {None, "too_many_requests"} == {entry["error"] for entry in result["server_tools"]}
    assert {"input", "output", "cache_read", "cache_write"} == {entry["type"] for entry in result["tokens"]}
    assert any(entry["detail"] == "compaction" and entry["tokens"] > 0 for entry in result["tokens"])
    assert set(RATE_LIMITS) == {entry["kind"] for entry in result["rate_limits"]}
    assert {"overloaded", "rate_limited"} <= result["waits"].keys()


def test_people_get_both_accounts_and_the_sum() -> None:
    finished = demo("--calls=40")
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    hidden = ("What the calls with a 200 hid:", "Answers", "Rate limits, last minute", "Tokens billed", "gave the app")
    for words in (
        "What HTTP says",
        "What after200 says",
        *hidden,
        "One of the failed calls",
        "HTTP says ",
        "call by call",
    ):
        assert words in finished.stdout


def test_without_the_instrumentation_everything_is_missing_and_the_status_says_so() -> None:
    finished = demo("--calls=20", "--json", OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="after200")
    assert 1 == finished.returncode
    differences = result_of(finished)["differences"]
    assert "calls in after200.calls: 0 recorded, 20 expected" in differences
    for metric in ("after200.answers: ", "after200.tokens: ", "after200.rate_limit.utilization: "):
        assert any(line.startswith(metric) for line in differences), metric


@pytest.mark.repeats("cli/test_reconcile.py")
def test_the_differences_are_shown_to_people_too() -> None:
    finished = demo("--calls=20", OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="after200")
    assert 1 == finished.returncode
    assert "What was exported is not what the fault server did:" in finished.stdout
    assert "is after200 in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS?" in finished.stdout


@pytest.mark.repeats("cli/test_reconcile.py")
def test_spans_are_compared_apart_from_metrics() -> None:
    finished = demo("--calls=20", "--json", OTEL_INSTRUMENTATION_AFTER200_SPANS="none")
    found = result_of(finished)["differences"]
    assert 1 == finished.returncode
    assert found
    assert all(line.startswith("spans: ") and ": 0 recorded" in line for line in found)


def test_the_caller_s_own_exporters_are_left_alone() -> None:
    finished = demo(
        "--calls=5",
        "--json",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_TRACES_SAMPLER="always_off",
        OTEL_SDK_DISABLED="true",
        ANTHROPIC_BASE_URL="http://127.0.0.1:9",
        HTTP_PROXY="http://127.0.0.1:9",
    )
    assert 0 == finished.returncode, finished.stdout + finished.stderr


BAD = [
    ("--calls=0", "argument --calls: '0' is not a whole number from 1 to 100000"),
    ("--calls=-5", "argument --calls: '-5' is not a whole number from 1 to 100000"),
    ("--calls=x", "argument --calls: 'x' is not a whole number from 1 to 100000"),
    ("--calls=100001", "argument --calls: '100001' is not a whole number from 1 to 100000"),
    ("--calls=1.5", "argument --calls: '1.5' is not a whole number from 1 to 100000"),
    ("--calls=²", "argument --calls: '²' is not a whole number from 1 to 100000"),
    ("--seed=x", "argument --seed: 'x' is not a whole number from 0 to 4294967295"),
    ("--seed=", "argument --seed: '' is not a whole number from 0 to 4294967295"),
    ("--client=curl", "argument --client: invalid choice: 'curl' (choose from "),
    ("--jason", "unrecognized arguments: --jason"),
    ("more", "unrecognized arguments: more"),
]


@pytest.mark.parametrize(("option", "message"), BAD)
def test_a_wrong_option_is_named_with_what_is_accepted(
    option: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([option])
    printed = capsys.readouterr()
    assert (2, "") == (ended.value.code, printed.out)
    assert f"after200 demo: error: {message}" in printed.err
    assert "usage: after200 demo [-h] [--calls" in printed.err
