# SPDX-License-Identifier: Apache-2.0
"""The process that is forked for each program: it imports, waits for requests on a socket, and does nothing else.

A request has five files: what is to run, as JSON; a socket for what becomes of it; and the program's standard streams.
A program has a process over it that waits for its end, so that any number of them can run.
"""

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
from pathlib import Path

IMPORTS = (
    "anthropic",
    "h11",
    "opentelemetry.distro",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.instrumentation.instrumentor",
    "opentelemetry.sdk._configuration",
    "opentelemetry.sdk._logs.export",
    "opentelemetry.sdk.metrics.export",
    "opentelemetry.sdk.trace.export",
    "requests",
    "rich.console",
    "rich.table",
)
"""What nearly every program of the tests imports first, if it is installed; nothing of the package, and nothing that
patches anything."""


def forked(requests: socket.socket) -> dict[str, object]:
    """Serves requests for as long as there is somebody to make one. Returns in each fork, with what it is to run."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Who waits for a program is the process over it.
    while True:
        message, files, _, _ = socket.recv_fds(requests, 1, 5)
        if not message:
            os._exit(0)
        if os.fork():
            for file in files:
                os.close(file)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        requests.close()
        asked, answers, *streams = files
        if pid := os.fork():
            supervise(pid, answers)
        for number, file in enumerate(streams):
            os.dup2(file, number)
        os.lseek(asked, 0, os.SEEK_SET)
        with open(asked, encoding="utf-8") as file:
            request: dict[str, object] = json.load(file)
        for number in (answers, *streams):
            os.close(number)
        return request


def supervise(pid: int, answers: int) -> None:
    """Says which process the program is, waits for its end, says how it ended, and ends."""
    os.write(answers, b"%d\n" % pid)
    _, status, used = os.wait4(pid, 0)
    ended = {"status": os.waitstatus_to_exitcode(status), "cpu": used.ru_utime + used.ru_stime}
    with contextlib.suppress(OSError):  # Nobody waits for the end of what was ended for taking too long.
        os.write(answers, json.dumps(ended).encode() + b"\n")
    os._exit(0)


def begin(env: dict[str, str], cwd: str) -> None:
    """Makes this process what a new one would be."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    sys.path[0:1] = ["", *(folder for folder in env.get("PYTHONPATH", "").split(os.pathsep) if folder)]


def into_main(arguments: list[str]) -> object:
    """Returns the code to run, and leaves in the module `__main__` what it has in a new process.

    It is this very module: when Python ends it frees one module after the other, and that is the first.
    """
    main = vars(sys.modules["__main__"])
    kind, *rest = arguments
    if kind == "-c":
        source, *rest = rest
        code, facts = compile(source, "<string>", "exec"), {}
        sys.argv = ["-c", *rest]
    elif kind == "-m":
        name, *rest = rest
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
        if spec is None or spec.origin is None:
            sys.exit(f"{sys.executable}: No module named {name}")
        code = spec.loader.get_code(spec.name)  # type: ignore[union-attr]
        facts = {"__file__": spec.origin, "__spec__": spec, "__package__": spec.parent}
        sys.argv = [spec.origin, *rest]
    else:
        code, facts = compile(Path(kind).read_text(encoding="utf-8"), kind, "exec"), {"__file__": kind}
        sys.argv = arguments
        sys.path[0] = str(Path(kind).resolve().parent)
    kept = ("__name__", "__builtins__", "__loader__")
    for name in set(main) - set(kept):
        del main[name]
    main |= {"__doc__": None, "__package__": None, "__spec__": None, **facts}
    return code


if __name__ == "__main__":
    connection = socket.socket(fileno=int(sys.argv[1]))
    for module in IMPORTS:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    gc.collect()
    gc.freeze()  # What was imported is no garbage, in no fork.
    request = forked(connection)
    begin(request["env"], request["cwd"])  # type: ignore[arg-type]
    exec(into_main(request["arguments"]))  # type: ignore[arg-type]
