# SPDX-License-Identifier: Apache-2.0
"""Runs the example chat service under `opentelemetry-instrument`, as a user would, in a process of its own.

In come the URLs of an API and of an OTLP endpoint, out come the service's replies, one by one. The service is started
from its file and configured by its environment alone: nothing of this package is handed to it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import after200
from after200.installation import pip_install

RETRIES = 2
"""How often the SDK tries again; no other client does."""

CLIENTS = ("sdk", "httpx", "litellm")
"""What the service can make its calls with. The names of the last two are those of their packages."""

SECONDS_WITHOUT_A_BYTE = 10
LIMIT_S = 300
"""After so many seconds the service is stopped: a demo that hangs must not hang whoever runs it."""

KEPT = ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "OTEL_INSTRUMENTATION_")
"""What of the caller's OTEL_* settings reaches the service; exporters, samplers and resources are the demo's own."""


class ChatFailedError(RuntimeError):
    """The chat service could not be run; the message says what it said last."""


def find_chat_service() -> Path:
    """The example's file: in an installed package beside the code, in a checkout under `examples/`."""
    package = Path(after200.__file__).parent
    places = (package / "_examples" / "chat_service" / "chat.py", package.parents[1] / "examples/chat_service/chat.py")
    for place in places:
        if place.is_file():
            return place
    raise ChatFailedError(f"the chat service is in neither of {places[0]} and {places[1]}: install after200 again")


def find_instrument_command() -> str:
    """`opentelemetry-instrument` of the environment that this runs in."""
    command = Path(sysconfig.get_path("scripts"), "opentelemetry-instrument")
    if not command.is_file():
        raise ChatFailedError(f"{command} is missing: {pip_install('cli')}")
    return str(command)


def environment(api_url: str, otlp_url: str, calls: int, inherited: Mapping[str, str]) -> dict[str, str]:
    """The service's environment: the caller's, where the SDK finds the API, and where telemetry goes."""
    kept = {name: value for name, value in inherited.items() if not _is_replaced(name)}
    return kept | {
        "ANTHROPIC_BASE_URL": api_url,
        "ANTHROPIC_API_KEY": "no-key-is-needed",
        "NO_PROXY": "127.0.0.1",
        "OTEL_SERVICE_NAME": "chat-service",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_url,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
        # Spans are compared one by one, so none may be dropped when all calls end at once.
        "OTEL_BSP_MAX_QUEUE_SIZE": str(2048 + 2 * calls),
        # LiteLLM reads the prices of models from the network otherwise.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }


def _is_replaced(name: str) -> bool:
    if name.startswith("OTEL_"):
        return not name.startswith(KEPT)
    return name.startswith("ANTHROPIC_") or name.upper() == "NO_PROXY"


def retries_of(client: str) -> int:
    """Returns how often a call is tried again that is made with `client`, one of `CLIENTS`."""
    return RETRIES if client == "sdk" else 0


def run_chat_service(
    api_url: str, otlp_url: str, calls: int, seed: int, client: str = "sdk"
) -> Iterator[dict[str, Any]]:
    """Run the service and yield its replies as they come; ends when the process has ended and exported everything.

    `client`, one of `CLIENTS`, makes its calls. Raises `ChatFailedError` when the service cannot be started, ends with
    an error, or takes too long.
    """
    command = [
        find_instrument_command(),
        sys.executable,
        str(find_chat_service()),
        f"--calls={calls}",
        f"--seed={seed}",
        f"--retries={RETRIES}",
        f"--timeout={SECONDS_WITHOUT_A_BYTE}",
        f"--client={client}",
    ]
    if client != "sdk" and find_spec(client) is None:
        raise ChatFailedError(f"{client} is not installed in this environment: pip install {client}")
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        process = subprocess.Popen(
            command,
            env=environment(api_url, otlp_url, calls, os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        limit = threading.Timer(LIMIT_S, process.kill)
        limit.start()
        try:
            assert process.stdout is not None
            yield from map(json.loads, process.stdout)
            status = process.wait()
        finally:
            limit.cancel()
            process.kill()
            process.communicate()
        if status:
            complaints.seek(0)
            last = "".join(complaints.readlines()[-15:]) or "nothing on stderr"
            raise ChatFailedError(f"the chat service ended with status {status}:\n{last}")
