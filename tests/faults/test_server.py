# SPDX-License-Identifier: Apache-2.0
"""The server itself: starting, stopping, what it logs, and what it says to a request it cannot serve."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from after200.faults import FaultServer

from ..support.patience import PATIENCE_S
from .clients import ASKED, MESSAGES, ask, post, read_all


def test_the_log_says_what_was_asked_and_what_was_answered(server: FaultServer) -> None:
    before = time.time()
    post(server, "/overloaded_error_mid_stream@one/v1/messages?beta=true", {**ASKED, "stream": True})
    (served,) = server.log
    assert before <= served.started <= served.ended <= time.time()
    expected = {
        "scenario": "overloaded_error_mid_stream",
        "key": "one",
        "method": "POST",
        "path": "/v1/messages",
        "wire": "anthropic",
        "api": "messages",
        "model": "claude-test",
        "streaming": True,
        "attempt": 0,
        "wire_status": 200,
        "events_sent": ("message_start", "content_block_start", "ping", *["content_block_delta"] * 4, "error"),
        "finished": "end",
        "failure": "overloaded_error",
    }
    assert expected == {name: getattr(served, name) for name in expected}


def test_the_log_holds_a_request_before_the_client_sees_its_end(server: FaultServer) -> None:
    for number in range(1, 101):
        post(server, f"/completed{MESSAGES}")
        post(server, f"/completed{MESSAGES}", {**ASKED, "stream": True})
        assert len(server.log) == 2 * number


def test_the_log_holds_a_request_before_the_client_sees_the_error_that_ends_it(server: FaultServer) -> None:
    for number in range(1, 101):
        received = b""
        with ask(server, "overloaded_error_mid_stream") as sock:
            while b"event: error" not in received:
                received += sock.recv(65536)
            assert len(server.log) == number


def test_attempts_are_counted_per_scenario_and_key(server: FaultServer) -> None:
    def statuses(path: str) -> list[int]:
        return [post(server, f"/{path}{MESSAGES}")[0] for _ in range(3)]

    assert statuses("http_529_then_completed@a") == [529, 200, 200]
    assert statuses("http_529_then_completed@b") == [529, 200, 200]
    assert statuses("http_503_then_529_then_completed") == [503, 529, 200]
    assert [served.attempt for served in server.log] == [0, 1, 2] * 3
    server.clear()
    assert server.log == ()
    assert statuses("http_529_then_completed@a") == [529, 200, 200]


def test_a_key_may_hold_any_character(server: FaultServer) -> None:
    key = "test_x[a/b-ä?]@2"
    url = server.base_url("completed", key=key) + MESSAGES
    urllib.request.urlopen(url, json.dumps(ASKED).encode()).close()
    assert [served.key for served in server.log] == [key]


def test_an_unknown_scenario_is_answered_with_the_nearest_and_where_all_are_listed(server: FaultServer) -> None:
    status, headers, body = post(server, f"/overloaded_mid_stream{MESSAGES}")
    error = json.loads(body)
    assert (status, headers["content-type"]) == (404, "application/json")
    assert (error["type"], error["error"]["type"]) == ("error", "not_found_error")
    message = error["error"]["message"]
    assert message.startswith("unknown scenario 'overloaded_mid_stream' (did you mean ")
    assert message.endswith("; after200 faults --help lists all scenarios")
    with pytest.raises(ValueError, match="unknown scenario 'overloaded_mid_stream'"):
        server.base_url("overloaded_mid_stream")


@pytest.mark.parametrize("name", ["overloaded", "overloded"])
def test_a_short_name_of_the_mix_leads_to_its_scenario(server: FaultServer, name: str) -> None:
    _, _, body = post(server, f"/{name}{MESSAGES}")
    found = f"unknown scenario '{name}' (did you mean overloaded_error_mid_stream"
    assert json.loads(body)["error"]["message"].startswith(found)


def test_a_url_without_a_scenario_is_answered_with_how_to_name_one(server: FaultServer) -> None:
    status, _, body = post(server, MESSAGES)
    assert status == 404
    assert json.loads(body)["error"]["message"] == (
        "the URL names no scenario; put one before /v1, as in ANTHROPIC_BASE_URL=http://127.0.0.1:8529/completed; "
        "after200 faults --help lists all scenarios"
    )


UNKNOWN_PATHS = ["/completed", "/completed/v1/nothing", "/completed/v1/messages/x/y", "/completed//v1/messages"]


@pytest.mark.parametrize("path", UNKNOWN_PATHS)
def test_an_unknown_path_is_answered_with_those_there_are(server: FaultServer, path: str) -> None:
    status, _, body = post(server, path)
    message = json.loads(body)["error"]["message"]
    assert status == 404
    assert "unknown path POST" in message
    for known in ("/v1/messages", "/v1/complete", "/model/{model}/invoke", ":streamRawPredict", "events/stream"):
        assert known in message


def test_a_scenario_without_meaning_on_a_path_says_so(server: FaultServer) -> None:
    status, _, body = post(server, f"/bedrock_bad_crc{MESSAGES}")
    assert status == 404
    message = "scenario 'bedrock_bad_crc' is for bedrock only; this is messages over anthropic"
    assert json.loads(body)["error"]["message"] == message


def test_the_wrong_method_is_an_unknown_path(server: FaultServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", f"/completed{MESSAGES}")
    assert connection.getresponse().status == 404
    connection.close()


def test_a_connection_serves_many_requests(server: FaultServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    local = set()
    for scenario, streaming in (("completed", True), ("http_529", False), ("completed", False), ("nowhere", False)):
        connection.request("POST", f"/{scenario}{MESSAGES}", json.dumps({**ASKED, "stream": streaming}))
        response = connection.getresponse()
        response.read()
        assert not response.will_close
        local.add(connection.sock.getsockname())
    connection.close()
    assert len(local) == 1


def test_waiting_for_the_log_ends_when_the_condition_is_met(server: FaultServer) -> None:
    sock = ask(server, "stall_mid_stream")
    assert sock.recv(10) == b"HTTP/1.1 2"
    assert server.log == ()
    timer = threading.Timer(0.05, sock.close)
    timer.start()
    (served,) = server.wait_for(lambda log: any(entry.finished == "stalled" for entry in log), timeout=PATIENCE_S)
    assert served.wire_status == 200
    assert server.wait_idle() == (served,)


def test_waiting_in_vain_says_what_there_was(server: FaultServer) -> None:
    post(server, f"/http_529{MESSAGES}")
    with pytest.raises(TimeoutError, match="1 requests served, 0 open, the last: http_529 end"):
        server.wait_for(lambda log: len(log) == 2, timeout=0.05)
    with ask(server, "stall_mid_stream") as sock:
        sock.recv(1)
        with pytest.raises(TimeoutError, match="1 requests are still being served"):
            server.wait_idle(timeout=0.05)


def test_latency_and_chunk_delay_are_waited() -> None:
    with FaultServer(latency=0.1, chunk_delay=0.01) as slow:
        post(slow, f"/completed{MESSAGES}", {**ASKED, "stream": True})
        (served,) = slow.log
    assert served.ended - served.started >= 0.1 + 0.01 * len(served.events_sent)


def test_stopping_ends_every_connection_and_logs_it() -> None:
    server = FaultServer().start()
    socks = [ask(server, "stall_mid_stream") for _ in range(3)]
    for sock in socks:
        sock.recv(1)
    server.stop()
    assert [served.finished for served in server.log] == ["stopped"] * 3
    for sock in socks:
        read_all(sock)
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(server, "completed")


def test_a_stopped_server_starts_again_on_the_same_port() -> None:
    server = FaultServer()
    for _ in range(2):
        with server:
            assert post(server, f"/completed{MESSAGES}")[0] == 200
    assert len(server.log) == 2


def test_a_port_in_use_is_reported(server: FaultServer) -> None:
    with pytest.raises(OSError, match="address already in use"):
        FaultServer(server.port).start()


def test_arguments_that_are_not_valid_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        FaultServer(latency=-1)
    with pytest.raises(ValueError, match="both tls_cert and tls_key"):
        FaultServer(tls_cert="cert.pem")
    with pytest.raises(ValueError, match="unknown fault 'nothing'"):
        FaultServer(mix={"nothing": 0.1})
    with FaultServer() as server, pytest.raises(RuntimeError, match="running already"):
        server.start()


def test_it_speaks_tls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: install the package openssl of your system")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", cert, "-days", "2", *subject], check=True, capture_output=True)
    with FaultServer(tls_cert=cert, tls_key=key) as server:
        assert server.url.startswith("https://127.0.0.1:")
        with ask(server, "completed") as plain:  # not a TLS client: it is hung up on, quietly
            assert plain.recv(100)[:1] in (b"", b"\x15")
        context = ssl.create_default_context(cafile=cert)
        for scenario in ("completed", "overloaded_error_mid_stream"):
            connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context)
            connection.request("POST", f"/{scenario}{MESSAGES}", json.dumps({**ASKED, "stream": True}))
            assert b"message_start" in connection.getresponse().read()
            connection.close()
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context)
        connection.request("POST", f"/reset_mid_stream{MESSAGES}", json.dumps({**ASKED, "stream": True}))
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):  # OpenSSL tells some resets as an EOF
            connection.getresponse().read()
        connection.close()
        assert [served.finished for served in server.wait_idle()] == ["end", "end", "reset"]
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
