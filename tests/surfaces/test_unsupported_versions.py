# SPDX-License-Identifier: Apache-2.0
"""An SDK outside the range that is supported: it is left untouched, and one line says so.

The SDK is the installed one; what says that it has another version is its metadata, which a directory earlier on the
path overrides. Each program is a process of its own.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from ..support import warm

PROGRAM = """
import logging
logging.basicConfig(format="%(levelname)s %(message)s")
import importlib.metadata
import wrapt
import anthropic
{instrument}
method = vars(anthropic._base_client.SyncAPIClient)["request"]
print(importlib.metadata.version("anthropic"), "patched" if isinstance(method, wrapt.FunctionWrapper) else "untouched")
"""
MANUAL = "from after200 import AnthropicInstrumentor; AnthropicInstrumentor().instrument()"
OUTSIDE = ["0.26.1", "3.0.0"]

INSTALLED = pytest.mark.skipif(
    not entry_points(group="opentelemetry_instrumentor", name="after200"),
    reason="after200 is on the path but not installed, so that opentelemetry-instrument does not find it",
)


def run(directory: Path, version: str, instrument: str, *wrapper: str) -> tuple[str, list[str]]:
    """What the program prints where the SDK says that it is of `version`, and the lines that are logged."""
    metadata = directory / f"anthropic-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: anthropic\nVersion: {version}\n", encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(directory), os.environ.get("PYTHONPATH"))))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
        "PYTHONPATH": path,
        **dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "none"),
    }
    command = [*wrapper, sys.executable, "-c", PROGRAM.format(instrument=instrument)]
    done = warm.run_command(command, environment)
    done.check_returncode()
    return done.stdout.strip(), [line for line in done.stderr.splitlines() if "anthropic" in line.lower()]


@pytest.mark.parametrize("version", OUTSIDE)
def test_an_application_that_instruments_by_itself_is_left_untouched(tmp_path: Path, version: str) -> None:
    printed, lines = run(tmp_path, version, MANUAL)
    assert f"{version} untouched" == printed
    (line,) = lines
    assert line.startswith("ERROR")
    assert version in line


@INSTALLED
def test_an_application_under_opentelemetry_instrument_is_left_untouched(tmp_path: Path) -> None:
    version = OUTSIDE[-1]
    instrument = str(Path(sys.executable).with_name("opentelemetry-instrument"))
    printed, lines = run(tmp_path, version, "", instrument)
    assert f"{version} untouched" == printed
    (line,) = lines
    assert version in line
    assert "after200" in line


@pytest.mark.parametrize("version", ["0.27.0", "2.99.0"])
def test_the_ends_of_the_range_are_supported(tmp_path: Path, version: str) -> None:
    assert (f"{version} patched", []) == run(tmp_path, version, MANUAL)
