# SPDX-License-Identifier: Apache-2.0
"""The server as a program, run as one."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from after200.faults import SCENARIOS, FaultServer
from after200.faults.__main__ import main
from after200.faults.catalog import FAMILIES
from after200.faults.mix import ALIASES

from ..support.patience import PATIENCE_S

COMMAND = [sys.executable, "-m", "after200.faults"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_url_serves_and_stops_at_a_signal(number: signal.Signals) -> None:
    command = [*COMMAND, "--mix", "http_529=100%", "--seed", "3", "--latency", "1", "--chunk-delay", "0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{url}/completed/v1/messages", b'{"stream":true}') as answer:
            assert b"message_stop" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="HTTP Error 529: Overloaded"):
            urllib.request.urlopen(f"{url}/mix/v1/messages", b"{}")
        process.send_signal(number)
        rest, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, rest) == (0, "")
    assert errors == f"{len(SCENARIOS)} scenarios (--help lists them); press Ctrl-C to stop\n"


def test_help_lists_every_scenario_with_its_description(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for scenario in SCENARIOS.values():
        assert f"  {scenario.name} " in text
        assert scenario.description in text
    groups = text.split("scenarios:\n\n")[1].split("\n\n")
    titles = {group.split(":\n")[0]: group for group in groups}
    for title, scenarios in FAMILIES.items():
        assert [line.split()[0] for line in titles[title].splitlines()[1:]] == [entry.name for entry in scenarios]
    assert sum(title.startswith("Gateways: ") for title in titles) == 3
    flat = " ".join(text.split())
    assert all(f"{short} = {name}" in flat for short, name in ALIASES.items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "99999"], "'99999' is not a port; write a number from 0 to 65535"),
        (["--port", "http"], "'http' is not a port"),
        (["--mix", "overload=5%"], "unknown fault 'overload' in the mix (did you mean overloaded?)"),
        (["--rate-limits", "beans=5"], "unknown rate limit 'beans'; the kinds are requests, tokens, input_tokens,"),
        (["--rate-limits", "requests"], "'requests' is no rate limit; write KIND=NUMBER, as in requests=50"),
        (["--rate-limits", "requests=0"], "the rate limit 'requests' is 0; a limit is 1 or more a minute"),
        (["--seed", "x"], "'x' is not a seed; write a whole number, as in 7"),
        (["--latency", "-1"], "'-1' is not a number of milliseconds, 0 or more"),
        (["--chunk-delay", "nan"], "'nan' is not a number of milliseconds"),
        (["--nothing"], "unrecognized arguments: --nothing"),
    ],
)
def test_arguments_that_are_not_valid_are_explained(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tls-cert", "cert.pem"], "--tls-cert and --tls-key belong together"),
        (["--tls-cert", "/none.pem", "--tls-key", "/none.pem"], "cannot read the TLS certificate or its key: "),
    ],
)
def test_tls_files_that_are_not_there_are_explained(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_port_in_use_is_explained(capsys: pytest.CaptureFixture[str], server: FaultServer) -> None:
    assert main(["--port", str(server.port)]) == 1
    assert capsys.readouterr().err == (
        f"after200 faults: port {server.port} is in use; choose another, or --port 0 for any that is free\n"
    )
