# SPDX-License-Identifier: Apache-2.0
"""What is not installed, each in an environment that really lacks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from after200.cli.receiver import Receiver

from .environments import SITE_PACKAGES, environment, verify_in

GRPC = ("opentelemetry/exporter/otlp/proto/grpc", "opentelemetry_exporter_otlp_proto_grpc-*.dist-info")
SDK = ("opentelemetry/sdk", "opentelemetry_sdk-*.dist-info")

VerifyWithout = Callable[..., dict[str, Any]]


@pytest.fixture
def verify_without(tmp_path: Path, receiver: Receiver) -> VerifyWithout:
    """Verify in an environment without these pieces; the result, when the exit status is that of something wrong."""

    def verified(*pieces: str, add: dict[str, str] | None = None, **settings: str) -> dict[str, Any]:
        python = environment(tmp_path / "env", pieces)
        for name, text in (add or {}).items():
            file = tmp_path / "first" / name  # found before what is installed
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        otlp = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        status, result = verify_in(python, **(otlp | {"PYTHONPATH": str(tmp_path / "first")} | settings))
        assert (1, "wrong") == (status, result["verdict"]), result
        return result

    return verified


def wrong(result: dict[str, Any]) -> dict[str, str]:
    """What is said about each thing that is wrong."""
    return {
        finding["code"]: f"{finding['what']} {finding['next']}" for finding in result["findings"] if finding["wrong"]
    }


def test_the_exporter_that_the_distribution_takes_by_default(verify_without: VerifyWithout) -> None:
    said = wrong(verify_without(*GRPC, OTEL_EXPORTER_OTLP_PROTOCOL="grpc"))
    assert ["exporter_missing"] == list(said)
    assert "Requested component 'otlp_proto_grpc' not found" in said["exporter_missing"]
    assert "pip install opentelemetry-exporter-otlp-proto-grpc." in said["exporter_missing"]
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in said["exporter_missing"]


def test_the_distribution(verify_without: VerifyWithout) -> None:
    said = wrong(verify_without("opentelemetry/distro", "opentelemetry_distro-*.dist-info"))
    assert ["opentelemetry_missing"] == list(said)
    assert said["opentelemetry_missing"].startswith("opentelemetry-distro is not installed")


def test_the_opentelemetry_sdk(verify_without: VerifyWithout) -> None:
    said = wrong(verify_without(*SDK))
    assert ["opentelemetry_missing"] == list(said)
    assert said["opentelemetry_missing"].startswith("opentelemetry-sdk is not installed")


def test_the_anthropic_sdk(verify_without: VerifyWithout) -> None:
    said = wrong(verify_without("anthropic", "anthropic-*.dist-info"))
    assert ["sdk_unusable"] == list(said)
    assert "No module named 'anthropic'" in said["sdk_unusable"]
    assert "pip install 'anthropic >= 0.27, < 3'" in said["sdk_unusable"]


def test_an_anthropic_sdk_that_is_too_new(verify_without: VerifyWithout) -> None:
    metadata = "Metadata-Version: 2.1\nName: anthropic\nVersion: 3.1.0\n"
    said = wrong(verify_without("anthropic-*.dist-info", add={"anthropic-3.1.0.dist-info/METADATA": metadata}))
    assert ["sdk_unusable"] == list(said)
    assert "anthropic 3.1.0 is installed, and after200 instruments anthropic >= 0.27, < 3" in said["sdk_unusable"]


def test_after200_itself_found_by_its_path_only(verify_without: VerifyWithout) -> None:
    said = wrong(verify_without("after200-*.dist-info"))
    assert ["not_registered"] == list(said)
    assert "Install it with pip" in said["not_registered"]


def test_another_instrumentation_that_fails_keeps_ours_from_being_loaded(verify_without: VerifyWithout) -> None:
    broken = {
        "a_broken-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: a-broken\nVersion: 1.0\n",
        "a_broken-1.0.dist-info/entry_points.txt": "[opentelemetry_instrumentor]\na_broken = a_broken:Instrumentor\n",
        "a_broken.py": "class Instrumentor:\n    def instrument(self, **_):\n        raise ValueError('no token')\n",
    }
    said = wrong(verify_without(add=broken))
    assert ["set_up_failed"] == list(said)
    assert "Instrumenting of a_broken failed (ValueError: no token)" in said["set_up_failed"]
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=NAME" in said["set_up_failed"]


def test_the_links_leave_nothing_else_out(tmp_path: Path, receiver: Receiver) -> None:
    python = environment(tmp_path / "env", ["pip"])
    endpoint = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    status, result = verify_in(python, **endpoint)
    assert (0, [], "right") == (status, result["findings"], result["verdict"])
    assert str(SITE_PACKAGES) not in str(python)
