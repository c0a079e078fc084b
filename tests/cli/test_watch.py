# SPDX-License-Identifier: Apache-2.0
"""`after200 watch`, fed by a real service and by real OTLP exporters, in a real terminal and without one."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Counter as CounterInstrument
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from rich.console import Console

from after200 import names
from after200.cli.answered import Answer, Answered, Limit
from after200.cli.chat import RETRIES, run_chat_service
from after200.cli.endings import Ending, Totals, totals
from after200.cli.otlp import Telemetry
from after200.cli.receiver import Receiver
from after200.cli.reconcile import expected_account, was_retried
from after200.cli.refused import Refusal
from after200.cli.report.watched import incident_of
from after200.cli.watch import summary as watching
from after200.cli.watch.command import header, main, write_report
from after200.cli.watch.rows import SORTS, Choice
from after200.cli.watch.summary import Failure, Model, Only, Summary, is_relevant, summarize
from after200.cli.watch.view import as_json, as_text, live
from after200.faults import FaultServer

from ..support.patience import PATIENCE_S
from ..support.ports import free_port

MODEL = "claude-sonnet-5"
CALLS = {names.PROVIDER_NAME: "anthropic", names.REQUEST_MODEL: MODEL}
GOOD = {**CALLS, names.OUTCOME: "completed", names.HTTP_STATUS: 200, names.WIRE_STATUS: 200}
HIDDEN = {**CALLS, names.OUTCOME: "failed", names.ERROR_TYPE: "overloaded_error", names.HTTP_STATUS: 529} | {
    names.WIRE_STATUS: 200
}
LEFT = {**CALLS, names.OUTCOME: "closed", names.HTTP_STATUS: 200, names.WIRE_STATUS: 200}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(telemetry=Telemetry(100, is_relevant)) as running:
        yield running


class Service:
    """A process of a service: a meter provider whose reader exports when it is told to."""

    def __init__(self, receiver: Receiver, name: str, temporality: Mapping[type, AggregationTemporality] = {}) -> None:
        exporter = OTLPMetricExporter(f"{receiver.url}/v1/metrics", preferred_temporality=dict(temporality))
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        self.provider = MeterProvider([reader], resource=Resource({"service.name": name}))
        meter = self.provider.get_meter(names.SCOPE)
        self.calls = meter.create_counter(names.CALLS.name, "{call}")
        self.open = meter.create_up_down_counter(names.STREAMS_OPEN.name, "{stream}")
        self.used = meter.create_gauge(names.RATE_LIMIT_UTILIZATION.name, "1")
        self.limit = meter.create_gauge(names.RATE_LIMIT_LIMIT.name, "1")


def drawn(summary: Summary, width: int, height: int) -> list[str]:
    """The lines on a screen of that size."""
    console = Console(width=width, height=height, record=True, file=io.StringIO())
    console.print(live(summary, console, "after200 watch"), end="")
    return console.export_text().splitlines()


# --- a real service ---------------------------------------------------------------------------------------------------

MIX = {"overloaded": 0.1, "truncated": 0.05, "http_429": 0.05, "refused": 0.1, "answer_cut": 0.1, "tool_error": 0.1}


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Receiver, FaultServer, set[str]]]:
    """A chat service that made 60 calls: the receiver, the server, and the request ids of the streams that it left."""
    with (
        FaultServer(mix=MIX, seed=7, rate_limits={"requests": 100}) as server,
        Receiver(telemetry=Telemetry(1000, is_relevant)) as receiver,
    ):
        replies = list(run_chat_service(server.base_url("mix"), receiver.url, 60, 7))
        server.wait_idle()
        yield receiver, server, {reply["request_id"] for reply in replies if reply["result"] == "left"}


def test_the_counts_are_those_of_the_server_s_log(played: tuple[Receiver, FaultServer, set[str]]) -> None:
    receiver, server, left = played
    account = expected_account(server.log, left, RETRIES)
    summary = summarize(receiver)
    assert account.calls == summary.calls
    [model] = summary.models
    hidden = sum(number for ending, number in account.calls.items() if ending.is_hidden)
    assert ("chat-service", MODEL, 60, hidden, 0) == (*model[:2], model.ended.calls, model.ended.hidden, model.open)
    assert {str(status): number for status, number in account.attempts.items()} == summary.attempts


def test_answers_tools_and_waits_are_those_of_the_server_s_log(
    played: tuple[Receiver, FaultServer, set[str]],
) -> None:
    receiver, server, left = played
    answered = [entry for entry in server.log if entry.answer and entry.request_id not in left]
    answers = Counter(
        Answer(str(one.answer), one.content.refusal_category or str(one.content.stop_reason)) for one in answered
    )
    found = summarize(receiver).answered
    assert {"complete", "refused", "cut"} <= {answer.kind for answer in answers}
    assert answers == found.answers
    read_on = [tool for entry in answered for tool in entry.content.server_tools]
    assert Counter((tool.name, tool.error or "") for tool in read_on) - found.tools == Counter()
    retried = {entry.wire_status for entry in server.log if was_retried(entry, RETRIES)}
    assert {{429: "rate_limited", 529: "overloaded"}[status or 0] for status in retried} == found.waits.keys()
    assert all(waited > 0 for waited in found.waits.values())


def test_the_last_failures_have_their_request_ids(played: tuple[Receiver, FaultServer, set[str]]) -> None:
    receiver, server, left = played
    last = [entry for entry in server.log if entry.request_id not in left and not was_retried(entry, RETRIES)]
    failed = {entry.request_id for entry in last if entry.failure == "overloaded_error"}
    failures = summarize(receiver).failures
    overloaded = [each for each in failures if each.ending.error_type == "overloaded_error"]
    assert failed == {each.request_id for each in overloaded}
    assert len(failed) == len(overloaded)
    assert {(MODEL, "overloaded", "chat-service")} == {(each.model, each.failure, each.service) for each in overloaded}
    assert failures == sorted(failures, reverse=True)
    assert all(abs(each.time - time.time()) < 300 for each in failures)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 12), (110, 46), (160, 60)])
def test_what_is_shown_fits_on_the_screen(
    played: tuple[Receiver, FaultServer, set[str]], width: int, height: int
) -> None:
    receiver, *_ = played
    lines = [line.rstrip() for line in drawn(summarize(receiver), width, height)]
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    shown = "\n".join(lines)
    assert "What HTTP says, and what is true" in shown
    assert re.search(r" 60 +\d+ +\d+ +\d+ +\d+ +\d+ +0$", shown, re.MULTILINE)
    if height > 12:
        assert re.search(r"req_\d{24}$", shown, re.MULTILINE)


# --- temporality, restarts, several services --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "temporality", [{}, {CounterInstrument: AggregationTemporality.DELTA}], ids=["cumulative", "delta"]
)
def test_a_service_that_restarts_loses_no_calls(
    receiver: Receiver, temporality: dict[type, AggregationTemporality]
) -> None:
    for _ in range(2):
        service = Service(receiver, "shop", temporality)
        for _ in range(2):
            service.calls.add(2, GOOD)
            service.calls.add(1, HIDDEN)
            service.calls.add(1, LEFT)
            service.provider.force_flush()
        service.provider.shutdown()
    ended = Totals(calls=16, http_ok=16, completed=8, hidden=4, failed=0, left=4)
    assert [Model("shop", MODEL, ended, 0)] == summarize(receiver).models
    assert {Ending("completed", None, 200, 200): 8, Ending("failed", "overloaded_error", 529, 200): 4} | {
        Ending("closed", None, 200, 200): 4
    } == summarize(receiver).calls


def test_two_services_are_two_rows_and_their_limits_one(receiver: Receiver) -> None:
    limit = {**CALLS, names.RATE_LIMIT_KIND: "requests"}
    for name, used in (("shop", 0.25), ("blog", 0.75)):
        service = Service(receiver, name)
        service.calls.add(1, GOOD)
        service.used.set(used, limit)
        service.limit.set(50, limit)
        service.provider.shutdown()
    summary = summarize(receiver)
    assert ["blog", "shop"] == summary.services == [model.service for model in summary.models]
    assert [Limit(MODEL, "requests", 0.75, 50)] == summary.answered.limits
    assert any(re.match(r" service +model +calls", line) for line in drawn(summary, 120, 40))


def test_calls_are_shown_by_the_library_that_made_them_where_one_did(receiver: Receiver) -> None:
    service = Service(receiver, "shop")
    service.calls.add(2, GOOD)
    service.provider.force_flush()
    assert not any("Made with" in line for line in drawn(summarize(receiver), 120, 40))
    service.calls.add(3, {**HIDDEN, names.CLIENT: "httpx"})
    service.provider.shutdown()
    summary = summarize(receiver)
    by_the_sdk, by_httpx = Totals(2, 2, 2, 0, 0, 0), Totals(3, 3, 0, 3, 0, 0)
    assert {"": by_the_sdk, "httpx": by_httpx} == summary.clients
    assert {"sdk": by_the_sdk._asdict(), "httpx": by_httpx._asdict()} == as_json(summary, 1.0)["clients"]
    ending = Ending("failed", "overloaded_error", 529, 200)
    summary.failures = [
        Failure(0.0, "shop", MODEL, "overloaded", ending, f"req_{name}", name) for name in ("", "httpx")
    ]
    rows = [line.split() for line in as_text(summary).splitlines()]
    assert ["the", "SDK", "2", "2", "0", "0", "0"] in rows
    assert ["httpx", "3", "0", "3", "0", "0"] in rows
    assert ["httpx", "overloaded_error", "200", "529", "req_httpx"] in [row[-5:] for row in rows]


def test_on_80_columns_the_error_types_of_the_only_model_can_be_read(receiver: Receiver) -> None:
    service = Service(receiver, "shop")
    service.calls.add(1, HIDDEN)
    service.provider.shutdown()
    summary = summarize(receiver)
    ending = Ending("truncated", "stream_truncated", None, 200)
    summary.failures = [Failure(0.0, "shop", MODEL, "truncated", ending, "req_010000000000000000000001")]
    assert any(" stream_truncated " in line for line in drawn(summary, 80, 24)[-3:])
    assert not any(MODEL in line for line in drawn(summary, 80, 24)[-3:])
    summary.models.append(Model("shop", "claude-haiku-4-5", Totals(1, 1, 1, 0, 0, 0), 0))
    assert any(MODEL in line for line in drawn(summary, 120, 24)[-3:])


def test_what_a_process_that_has_gone_left_open_is_not_open(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(receiver, "shop")
    service.open.add(3, CALLS)
    for _ in range(2):
        service.provider.force_flush()
    assert [3] == [model.open for model in summarize(receiver).models]
    monkeypatch.setattr(watching, "PATIENCE_LEAST_S", 0.0)
    [point] = receiver.points(names.STREAMS_OPEN.name)
    assert point.interval is not None
    deadline = time.monotonic() + PATIENCE_S
    while summarize(receiver).models and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [] == summarize(receiver).models
    service.provider.shutdown()  # while its receiver is there; at exit it would try again and again


def test_other_metrics_are_not_kept(receiver: Receiver) -> None:
    service = Service(receiver, "shop")
    service.provider.get_meter("http").create_counter("http.server.requests").add(1)
    service.calls.add(1, GOOD)
    service.provider.shutdown()
    assert {names.CALLS.name} == receiver.metrics()


def test_nothing_has_come_yet(receiver: Receiver) -> None:
    said = " ".join(line.strip() for line in drawn(summarize(receiver), 100, 30)[1:]).strip()
    assert said.startswith("No metrics of after200 have come yet.")
    assert "opentelemetry-instrument" in said
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in said
    assert said.endswith("after200 verify, run with the settings of the service, says why nothing comes.")
    assert (0, [], []) == tuple(as_json(summarize(receiver), 1.0)[name] for name in ("calls", "models", "services"))


# --- many models, small and large screens -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowded() -> Summary:
    """Three services that call a hundred models each, all with failures, and one sender that is refused."""
    models, services = range(100), range(3)
    return Summary(
        models=[
            Model(
                f"service-{service}",
                f"us.anthropic.claude-fable-5-{model}-20260101-v1:0",
                Totals(1000 + model, 990, 990 - model % 23, model % 23, 10, model),
                service,
            )
            for model in models
            for service in services
        ],
        calls=Counter({Ending("completed", None, 200, 200): 9, Ending("failed", "overloaded_error", 529, 200): 7}),
        answered=Answered(limits=[Limit(f"model-{model}", "requests", model / 100, 1000) for model in models]),
        failures=[
            Failure(
                1e9 - number,
                f"service-{number % 3}",
                f"us.anthropic.claude-fable-5-{number}-20260101-v1:0",
                "overloaded",
                Ending("failed", "overloaded_error", 529, 200),
                f"req_{number:024d}",
            )
            for number in range(50)
        ],
        refused_now=Counter({Refusal("gRPC came", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"): 12}),
    )


@pytest.mark.variants(covers=lambda width, height: [width, height])
@pytest.mark.parametrize("height", [24, 40, 60])
@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_hundred_models_fit_on_every_screen_the_worst_first(crowded: Summary, width: int, height: int) -> None:
    lines = [line.rstrip() for line in drawn(crowded, width, height)]
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    shown = " ".join(lines)
    assert "refused 12 times: gRPC came; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in shown
    rows = [line for line in lines if re.match(r" service-\d +\S*-20260101", line)][: crowded_rows(lines)]
    assert 3 <= len(rows)
    assert f"and {300 - len(rows)} more" in shown
    assert re.search(r" all 300 +314850 +297000 ", shown)
    # The worst: 22 failed after the 200.
    assert all(re.search(r" 22( |$)", row) for row in rows[:3])
    assert len(rows) == len({row.split()[0] + row.split()[1] for row in rows})
    ids = [line.split()[-1] for line in lines if " req_" in line]
    assert [each.request_id for each in crowded.failures[: len(ids)]] == ids
    assert ids
    assert ("A wider screen also shows: " in shown) == (width < 120)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_every_key_is_named_above_the_tables_whatever_the_width(
    crowded: Summary, receiver: Receiver, width: int
) -> None:
    choice = Choice(only=Only("service-0", "us.anthropic.claude-fable-5-1-20260101-v1:0"))
    for services in (crowded.services, ["chat", "search", "support-bot"]):
        summary = replace(
            crowded,
            models=[each._replace(service=services[int(each.service[-1])]) for each in crowded.models],
            failures=[],
        )
        words = header(receiver, summary, 3725, choice, width)
        assert max(map(len, words.splitlines())) <= width
        assert len(words.splitlines()) <= 2
        for said in ("after200 watch", receiver.url, "62:05", "q leaves", f"s sorts (now: {choice.sort})", "↑↓ choose"):
            assert said in words
        assert ", ".join(services) in words or "3 services" in words


def crowded_rows(lines: list[str]) -> int:
    """How many rows the table of models has: those before the row of the rest."""
    [at] = [number for number, line in enumerate(lines) if re.search(r" and \d+ more +\d+ ", line)]
    head = next(number for number, line in enumerate(lines) if line.startswith(" service "))
    return at - head - 2


def test_in_a_pipe_every_name_is_whole_and_no_line_ends_with_blanks(crowded: Summary) -> None:
    lines = as_text(crowded).splitlines()
    assert lines == [line.rstrip() for line in lines]
    for model in crowded.models:
        [row] = [line for line in lines if model.service in line and f" {model.model} " in line and "req_" not in line]
        expected = [model.service, model.model, *map(str, model.ended), str(model.open)]
        assert expected == row.split()


def test_a_sender_that_was_mended_leaves_the_screen_and_is_named_at_the_end(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Refusal("gRPC came", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
    receiver.add_refused(refusal)
    before = summarize(receiver)
    assert ({refusal: 1}, {refusal: 1}) == (before.refused, before.refused_now)
    monkeypatch.setattr(watching, "PATIENCE_UNKNOWN_S", 0.0)
    after = summarize(receiver)
    assert ({refusal: 1}, {}) == (after.refused, after.refused_now)
    assert any("gRPC came" in line for line in drawn(before, 80, 24))
    assert not any("gRPC came" in line for line in drawn(after, 80, 24))


def test_keys_sort_the_models_and_choose_one(crowded: Summary) -> None:
    choice = Choice()
    worst = choice.ordered(crowded.models)[0]
    assert ("service-0", "us.anthropic.claude-fable-5-91-20260101-v1:0", 22) == (*worst[:2], worst.ended.hidden)
    choice.press("\x1b[B", crowded.models)
    assert choice.only == worst[:2]
    for key, place in (("j", 1), ("k", 0), ("k", -1)):
        choice.press(key, crowded.models)
        assert choice.ordered(crowded.models)[place][:2] == choice.only
    choice.press("a", crowded.models)
    assert choice.only is None
    sorts = []
    for _ in SORTS:
        choice.press("s", crowded.models)
        sorts.append(choice.sort)
    assert [*list(SORTS)[1:], next(iter(SORTS))] == sorts
    choice.sort = "calls"
    assert "us.anthropic.claude-fable-5-99-20260101-v1:0" == choice.ordered(crowded.models)[0].model
    choice.press("x", crowded.models)
    assert Choice("calls", None) == choice


def test_what_is_shown_of_a_model_that_was_chosen_is_of_that_model_only(receiver: Receiver) -> None:
    for name in ("shop", "blog"):
        service = Service(receiver, name)
        service.calls.add(2, GOOD)
        service.calls.add(3 if name == "shop" else 4, HIDDEN)
        service.provider.shutdown()
    every, chosen = summarize(receiver), summarize(receiver, Only("shop", MODEL))
    assert every.models == chosen.models
    hidden = Ending("failed", "overloaded_error", 529, 200)
    assert (7, 3) == (every.calls[hidden], chosen.calls[hidden])
    console = Console(width=120, height=40, record=True, file=io.StringIO())
    console.print(live(chosen, console, "", Choice(only=Only("shop", MODEL))))
    assert f"How calls ended: {MODEL}" in console.export_text()


# --- the command ------------------------------------------------------------------------------------------------------


@contextmanager
def watch(*options: str, **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "after200.cli", "watch", *options]
    with subprocess.Popen(command, env=os.environ | {"TERM": "xterm-256color"}, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def export(port: int, attributes: dict[str, Any]) -> None:
    """One call, exported to that port as soon as somebody listens there."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert time.monotonic() < ends
            time.sleep(0.1)
    exporter = OTLPMetricExporter(f"http://127.0.0.1:{port}/v1/metrics")
    provider = MeterProvider([PeriodicExportingMetricReader(exporter)], resource=Resource({"service.name": "shop"}))
    provider.get_meter(names.SCOPE).create_counter(names.CALLS.name).add(1, attributes)
    provider.shutdown()


class Terminal:
    """A pseudo-terminal of 100 columns and 40 lines."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.shown = ""

    def read_until(self, words: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self.ours], [], [], 0.2)[0]:
                self.shown += os.read(self.ours, 65536).decode(errors="replace")


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal()
    yield opened
    os.close(opened.ours)
    os.close(opened.theirs)


@pytest.mark.parametrize("leave", ["q", "ctrl-c"])
def test_in_a_terminal_it_shows_what_comes_and_q_leaves_and_prints_the_summary(terminal: Terminal, leave: str) -> None:
    port = free_port()
    before = termios.tcgetattr(terminal.theirs)
    with watch(f"--port={port}", stdin=terminal.theirs, stdout=terminal.theirs, stderr=terminal.theirs) as process:
        terminal.read_until("No metrics of after200 have come yet")
        export(port, HIDDEN)
        terminal.read_until("overloaded_error")
        assert "HTTP says 1 of 1 succeeded" not in terminal.shown
        os.write(terminal.ours, b"x")
        os.write(terminal.ours, b"q") if leave == "q" else process.send_signal(signal.SIGINT)
        terminal.read_until("HTTP says 1 of 1 succeeded; 0 did.")
        assert 0 == process.wait(PATIENCE_S)
    assert before == termios.tcgetattr(terminal.theirs)


def test_in_a_terminal_a_refused_sender_is_named_at_once(terminal: Terminal) -> None:
    port = free_port()
    with watch(f"--port={port}", stdin=terminal.theirs, stdout=terminal.theirs, stderr=terminal.theirs):
        terminal.read_until("No metrics of after200 have come yet")
        with socket.create_connection(("127.0.0.1", port), 10) as grpc:
            grpc.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            terminal.read_until("refused: gRPC (HTTP/2) came to this port")
            terminal.read_until("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
        os.write(terminal.ours, b"q")
        terminal.read_until("a request was refused: gRPC (HTTP/2)")


def test_without_a_terminal_it_ends_with_a_signal_and_prints_json() -> None:
    port = free_port()
    with watch(f"--port={port}", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        export(port, HIDDEN)
        export(port, GOOD)
        process.send_signal(signal.SIGTERM)
        printed, said = process.communicate(timeout=PATIENCE_S)
    result = json.loads(printed)
    assert 0 == process.returncode, said
    totals = {"calls": 2, "http_ok": 2, "completed": 1, "hidden": 1, "failed": 0, "left": 0}
    assert totals == {name: result[name] for name in totals}
    assert [{"service": "shop", "model": MODEL, **totals, "open": 0}] == result["models"]
    assert f"receiving at http://127.0.0.1:{port}" in said.decode()


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_once_says_where_it_receives_and_ends_by_itself(options: list[str]) -> None:
    with watch("--port=0", "--once=0.1", *options, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        printed, said = process.communicate(timeout=PATIENCE_S)
    assert 1 == process.returncode  # nothing came
    assert re.fullmatch(r"receiving at http://127\.0\.0\.1:[1-9]\d* for 0\.1 seconds\n", said.decode())
    assert (b'"calls": 0' if options else b"No metrics of after200 have come yet") in printed


def test_without_a_terminal_standard_output_has_the_summary_and_nothing_else() -> None:
    port = free_port()
    with watch(f"--port={port}", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        export(port, GOOD)
        process.send_signal(signal.SIGTERM)
        printed, said = process.communicate(timeout=PATIENCE_S)
    until = "until a signal (SIGINT, SIGTERM) comes; --once SECONDS sets a time"
    assert f"receiving at http://127.0.0.1:{port} {until}\n" == said.decode()
    assert printed.decode().startswith("What HTTP says, and what is true")


@pytest.mark.parametrize("name", ["report.md", "report.json"])
def test_what_was_seen_can_be_written_as_a_report(
    played: tuple[Receiver, FaultServer, set[str]], tmp_path: Path, name: str
) -> None:
    receiver, server, left = played
    account = expected_account(server.log, left, RETRIES)
    summary = summarize(receiver)
    assert write_report(tmp_path / name, incident_of(summary, receiver, 0.0, 60.0))
    text = (tmp_path / name).read_text(encoding="utf-8")
    ended = totals(account.calls)
    if name == "report.md":
        assert f"HTTP says {ended.http_ok} of {ended.calls} calls succeeded; {ended.completed} did." in text
        assert "according to after200 watch." in text
        return
    found = json.loads(text)
    assert ended._asdict() == {name: found[name] for name in ended._asdict()}
    assert {each.request_id for each in summary.failures} == {each["request_id"] for each in found["requests"]}
    assert ended.hidden + ended.failed == sum(each["calls"] for each in found["failed_calls"])


def test_a_report_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["--port=0", "--once=0.1", f"--report={tmp_path / 'no' / 'folder.md'}"])
    assert f"after200 watch: cannot write {tmp_path / 'no' / 'folder.md'}: " in capsys.readouterr().err


def test_once_with_something_to_show() -> None:
    port = free_port()
    with watch(f"--port={port}", "--once=3600", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        export(port, HIDDEN)
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=PATIENCE_S)
    assert 0 == process.returncode
    assert "HTTP says 1 of 1 succeeded; 0 did." in printed.decode()


def test_a_port_that_is_in_use_is_named_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with Receiver() as other:
        port = int(other.url.rpartition(":")[2])
        assert 1 == main([f"--port={port}", "--once=1"])
    said = capsys.readouterr().err
    assert said.startswith(
        f"after200 watch: port {port} is in use: does a Collector, or another after200 watch, run here?"
    )
    assert f"--port {port + 1}, and for the service OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:{port + 1}" in said


def test_an_address_that_is_not_of_this_machine_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["--port=0", "--host=203.0.113.1", "--once=1"])
    assert "after200 watch: cannot listen at 203.0.113.1, port 0: " in capsys.readouterr().err


def test_what_was_refused_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    import urllib.error
    import urllib.request

    port = free_port()
    with watch(f"--port={port}", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        export(port, GOOD)
        headers = {"Content-Type": "application/json"}
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/v1/traces", b"{}", headers))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert "a request was refused: POST /v1/traces: Content-Type is application/json; only " in said.decode()


BAD = [
    ("--port=70000", "argument --port: '70000' is not a whole number from 0 to 65535"),
    ("--port=x", "argument --port: 'x' is not a whole number from 0 to 65535"),
    ("--once=0", "argument --once: '0' is not a number of seconds above 0, at most 86400"),
    ("--once=soon", "argument --once: 'soon' is not a number of seconds above 0, at most 86400"),
    ("more", "unrecognized arguments: more"),
]


@pytest.mark.parametrize(("option", "message"), BAD)
def test_a_wrong_option_is_named_with_what_is_accepted(
    option: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([option])
    assert 2 == ended.value.code
    assert f"after200 watch: error: {message}\n" in capsys.readouterr().err
