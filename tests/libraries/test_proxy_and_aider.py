# SPDX-License-Identifier: Apache-2.0
"""LiteLLM's proxy and aider under `opentelemetry-instrument`, as users run them: each request is recorded once.

`pytest tests/libraries/test_proxy_and_aider.py` runs this, and `make long` does: their environments have a gigabyte.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from after200 import names
from after200.cli.endings import Ending
from after200.cli.receiver import Receiver
from after200.cli.reconcile import expected_ending, recorded_account
from after200.faults import FaultServer

from ..support.neighbours.environments import CannotInstallError, interpreter, package_in
from ..support.neighbours.expectations import Framework
from ..support.neighbours.litellm import EXPORTED
from ..support.patience import PATIENCE_S
from ..support.ports import free_port
from .programs import SCENARIOS

PROXY = Framework("litellm_proxy", "litellm[proxy] == 1.108.7", "litellm", (), also=EXPORTED)
OPEN = {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
"""Lets the proxy answer without a key."""

AIDER = Framework("aider", "aider-chat == 0.86.2", "litellm", (), also=EXPORTED)


@contextmanager
def started(
    program: Framework, words: list[str], folder: Path, receiver: Receiver, **settings: str
) -> Iterator[subprocess.Popen[str]]:
    """Starts a command of the environment of `program`, in `folder`, with after200 on its path."""
    try:
        binaries = interpreter(program).parent
    except CannotInstallError as error:
        pytest.skip(f"the environment of {program.name} cannot be made: {error}")
    telemetry = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
        "OTEL_INSTRUMENTATION_AFTER200_FLUSH_ON_SIGTERM": "true",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ANTHROPIC_"))}
    own = {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": package_in(folder),
        "HOME": str(folder),
        "NO_PROXY": "127.0.0.1",
        # The prices of models are fetched from the network otherwise.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(binaries / "opentelemetry-instrument"), "--", *words],
            cwd=folder,
            env=inherited | telemetry | own | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
        )
        try:
            yield process
            assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
        finally:
            process.kill()
            process.wait()
            print(log.read_text(encoding="utf-8", errors="replace")[-5000:])


def expected(server: FaultServer) -> Counter[Ending]:
    """How the calls ended that the server has served."""
    return Counter(expected_ending(entry, ()) for entry in server.wait_idle())


def ask(url: str, body: dict[str, object]) -> int:
    """Posts `body` and reads the answer; the status, 0 for an answer that broke off."""
    request = Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urlopen(request, timeout=PATIENCE_S) as response:
            response.read()
            return int(response.status)
    except HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_each_request_of_the_proxy_of_litellm_is_recorded_once_as_what_the_server_did(tmp_path: Path) -> None:
    port = free_port()
    with FaultServer() as server, Receiver() as receiver:
        models = [
            {
                "model_name": scenario,
                "litellm_params": {
                    "model": "anthropic/claude-test",
                    "api_base": server.base_url(scenario),
                    "api_key": "none",
                },
            }
            for scenario in SCENARIOS
        ]
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model_list": models}), encoding="utf-8")
        words = ["litellm", "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
        with started(PROXY, words, tmp_path, receiver, **OPEN) as process:
            deadline = time.monotonic() + PATIENCE_S
            while ask(f"http://127.0.0.1:{port}/v1/messages", {}) == 0:
                assert process.poll() is None, "the proxy has ended"
                assert time.monotonic() < deadline, "the proxy does not answer"
                time.sleep(0.2)
            for scenario in SCENARIOS:
                for path in ("/v1/messages", "/chat/completions"):
                    for streams in (True, False):
                        question = {"role": "user", "content": "Say hello."}
                        body = {"model": scenario, "max_tokens": 16, "messages": [question], "stream": streams}
                        ask(f"http://127.0.0.1:{port}{path}", body)
            assert set(SCENARIOS) == {entry.scenario for entry in server.wait_idle()}
            process.send_signal(signal.SIGTERM)
        assert expected(server) == recorded_account(receiver).calls
        assert {"httpx"} == {point.attributes.get(names.CLIENT) for point in receiver.points(names.CALLS.name)}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_request_of_aider_is_recorded_once_as_what_the_server_did(scenario: str, tmp_path: Path) -> None:
    options = ["--no-check-update", "--no-analytics", "--no-show-model-warnings", "--yes-always", "--no-git"]
    model = ["--no-pretty", "--model", "anthropic/claude-sonnet-4-20250514"]
    with FaultServer() as server, Receiver() as receiver:
        url = server.base_url(scenario)
        api = {"ANTHROPIC_API_KEY": "none", "ANTHROPIC_API_BASE": url, "ANTHROPIC_BASE_URL": url}
        words = ["python", "-m", "aider", *model, *options, "--message", "Say hello."]
        with started(AIDER, words, tmp_path, receiver, **api):
            pass
        assert server.wait_idle()
        assert expected(server) == recorded_account(receiver).calls
