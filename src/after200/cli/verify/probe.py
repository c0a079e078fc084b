# SPDX-License-Identifier: Apache-2.0
"""The probed process: `python -m after200.cli.verify.probe`, set up as the service itself would be.

Requests come as JSON lines on standard input (`call`, `flush`), one answer goes out for each; the first answer says
what is installed and active. Nothing is judged here: the parent does that.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import threading
import time
from typing import Any, TextIO

from after200.cli.verify.exports import Exports

NOT_LONG_S = 2.0


class Complaints(logging.Handler):
    """Keeps what OpenTelemetry and after200 warn about, each line once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line of it: who, what, and the exception."""
        line = f"{record.name}: {record.getMessage()}"
        if record.exc_info and record.exc_info[1] is not None:
            line += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        if len(self.lines) < 100:
            self.lines[" ".join(line.split())] = None


def main() -> None:
    """Answer until the parent closes the pipe."""
    answers = private_stdout()
    complaints = Complaints()
    for name in ("opentelemetry", "after200"):
        logging.getLogger(name).addHandler(complaints)
    exports = Exports()
    exports.watch()
    set_up_error = set_up(json.loads(os.environ["AFTER200_VERIFY"]))
    from after200.cli.verify.inspection import inspect_process

    say(
        answers,
        inspect_process()
        | {"set_up_error": set_up_error, "exporters": exports.report(), "log": list(complaints.lines)},
    )
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "call":
            answer = make_call(request["base_url"], request["model"])
        else:
            answer = flush(request["signals"], request["patience"], request["seconds"])
        say(answers, answer | {"exporters": exports.report(), "log": list(complaints.lines)})
    # Not sys.exit: an exporter that reaches nobody would hold the process for as long as it retries.
    os._exit(0)


def private_stdout() -> TextIO:
    """The pipe to the parent; whatever else prints to standard output goes to standard error from here on."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def say(answers: TextIO, answer: dict[str, Any]) -> None:
    """One answer, one line."""
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def set_up(how: dict[str, Any]) -> str | None:
    """As `opentelemetry-instrument` does it, then as the application does it; what went wrong, if it did."""
    try:
        if how["instrument"]:
            from opentelemetry.instrumentation.auto_instrumentation import initialize

            initialize()
        if how["setup"]:
            module, _, function = how["setup"].partition(":")
            loaded = importlib.import_module(module)
            if function:
                getattr(loaded, function)()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def make_call(base_url: str, model: str) -> dict[str, Any]:
    """One streamed call, read to its end; what the application got to see of it."""
    import anthropic

    # A proxy is for what leaves the machine; the exporters keep theirs.
    client = anthropic.Anthropic(
        base_url=base_url, api_key="none", max_retries=0, http_client=anthropic.DefaultHttpxClient(trust_env=False)
    )
    events = 0
    try:
        with client.messages.create(
            model=model, max_tokens=16, messages=[{"role": "user", "content": "Is it recorded?"}], stream=True
        ) as stream:
            for _ in stream:
                events += 1
    except Exception as error:
        status = getattr(error, "status_code", None)
        saw = type(error).__name__ + ("" if status is None else f", status_code {status}")
        return {"saw": f"{events} events, then {saw}"}
    return {"saw": f"{events} events"}


def flush(signals: list[str], patience: list[str], seconds: float) -> dict[str, Any]:
    """Export these signals, all at once; which of them came to an end. Only those in `patience` are waited for long."""
    from opentelemetry import _logs, metrics, trace

    providers = {
        "traces": trace.get_tracer_provider(),
        "metrics": metrics.get_meter_provider(),
        "logs": _logs.get_logger_provider(),
    }
    threads = {
        signal: threading.Thread(target=_flush, args=(provider, seconds), daemon=True)
        for signal, provider in providers.items()
        if signal in signals and hasattr(provider, "force_flush")
    }
    deadline = time.monotonic() + seconds
    for thread in threads.values():
        thread.start()
    for signal in sorted(threads, key=lambda signal: signal not in patience):
        left = max(0.0, deadline - time.monotonic())
        threads[signal].join(left if signal in patience else min(left, NOT_LONG_S))
    return {"flushed": [signal for signal, thread in threads.items() if not thread.is_alive()]}


def _flush(provider: Any, seconds: float) -> None:
    try:
        provider.force_flush(int(seconds * 1000))
    except Exception:
        logging.getLogger("opentelemetry.after200.verify").warning("flushing %r failed", provider, exc_info=True)


if __name__ == "__main__":
    main()
