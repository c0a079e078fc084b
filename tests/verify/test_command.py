# SPDX-License-Identifier: Apache-2.0
"""`after200 verify` as people run it: what it prints, its exit status, and its options."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from after200.cli.receiver import Receiver
from after200.cli.verify.command import main

from ..support.patience import PATIENCE_S
from ..support.ports import free_port
from .verified import ALL_BATCHES


def verify(*options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "after200.cli", "verify", *options]
    settings = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "COLUMNS": "160", **settings}
    return subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def test_people_get_the_facts_the_calls_and_the_verdict(receiver: Receiver) -> None:
    finished = verify(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_SERVICE_NAME="chat")
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    lines = [" ".join(line.split()) for line in finished.stdout.splitlines()]
    assert lines[0].startswith("service chat-after200-verify, model after200-verify-")
    exported = re.compile(  # In two batches where the calls take long.
        re.escape(f"traces OTLPSpanExporter over HTTP to {receiver.url}/v1/traces, ") + ALL_BATCHES
    )
    assert any(map(exported.fullmatch, lines)), lines
    overload = "an overload mid-stream 6 events, then APIStatusError, status_code 200"
    recorded = "failed, overloaded_error, status 529, wire status 200 yes yes"
    assert f"{overload} {recorded}" in lines
    assert "a refusal 10 events completed, status 200, wire status 200, refused yes yes" in lines
    assert "Right: what was recorded is what happened. It left this process." == lines[-1]


@pytest.mark.repeats("verify/test_wording.py")
def test_what_is_wrong_is_said_in_words_with_the_next_step() -> None:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    finished = verify(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_TIMEOUT="2")
    assert 1 == finished.returncode
    for signal in ("traces", "metrics"):
        assert f"WRONG  {signal} go to {endpoint}/v1/{signal}: nobody answers there." in finished.stdout
    assert 1 == finished.stdout.count("       next: Is the Collector (or backend) running")
    assert finished.stdout.rstrip().endswith("Wrong: 1 thing to mend, see above.")


@pytest.mark.repeats("verify/test_right.py")
def test_programs_get_json_and_nothing_else(receiver: Receiver) -> None:
    finished = verify("--json", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    result = json.loads(finished.stdout)
    assert (0, "right", []) == (finished.returncode, result["verdict"], result["findings"])
    assert "RuntimeWarning" not in finished.stderr


def test_under_opentelemetry_instrument_it_is_set_up_once(receiver: Receiver) -> None:
    program = [os.path.join(os.path.dirname(sys.executable), "opentelemetry-instrument")]
    settings = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    command = [*program, sys.executable, "-m", "after200.cli", "verify", "--json"]
    finished = subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (0, []) == (finished.returncode, json.loads(finished.stdout)["findings"]), finished.stderr


BAD = [
    (["--signals=logs"], "argument --signals: 'logs' is not one or more, separated by commas, of: traces, metrics"),
    (["--signals="], "argument --signals: '' is not one or more, separated by commas, of: traces, metrics"),
    (["--setup=a b"], "argument --setup: 'a b' is not MODULE or MODULE:FUNCTION, as in my_service.telemetry:set_up"),
    (["--setup=a:"], "argument --setup: 'a:' is not MODULE or MODULE:FUNCTION, as in my_service.telemetry:set_up"),
    (["--prometheus=9090"], "argument --prometheus: '9090' is not a URL, as in http://localhost:9090"),
    (["--alertmanager=ftp://x"], "argument --alertmanager: 'ftp://x' is not a URL, as in http://localhost:9090"),
    (["--header=key"], "argument --header: 'key' is not a header, as in 'Authorization: Bearer KEY'"),
    (["--timeout=0"], "argument --timeout: '0' is not a number of seconds above 0, at most 86400"),
    (["--timeout=soon"], "argument --timeout: 'soon' is not a number of seconds above 0, at most 86400"),
    (["--timeout=nan"], "argument --timeout: 'nan' is not a number of seconds above 0, at most 86400"),
    (
        ["--signals=traces", "--prometheus=http://a"],
        "argument --prometheus: it needs metrics among the --signals",
    ),
    (["--alertmanager=http://a", "more"], "unrecognized arguments: more"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_a_wrong_option_is_named_with_what_is_accepted(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert 2 == ended.value.code
    assert f"after200 verify: error: {message}\n" in capsys.readouterr().err
