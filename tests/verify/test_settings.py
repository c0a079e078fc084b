# SPDX-License-Identifier: Apache-2.0
"""What a setting of the environment turns off or gets wrong."""

from __future__ import annotations

import pytest

from .verified import Verify


def test_opentelemetry_is_turned_off(verify: Verify) -> None:
    verified = verify({"OTEL_SDK_DISABLED": "true"})
    assert ["sdk_disabled"] == verified.wrong
    assert "OTEL_SDK_DISABLED=true turns OpenTelemetry off" in verified.said("sdk_disabled")


@pytest.mark.parametrize("value", ["after200", "requests, after200", "*"])
def test_the_instrumentation_is_turned_off(verify: Verify, value: str) -> None:
    verified = verify({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": value})
    assert ["instrumentation_disabled"] == verified.wrong
    assert f"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={value}" in verified.said("instrumentation_disabled")


@pytest.mark.parametrize(("signal", "other"), [("traces", "metrics"), ("metrics", "traces")])
def test_a_signal_is_sent_to_nobody(verify: Verify, signal: str, other: str) -> None:
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    verified = verify({variable: "none"})
    assert [f"{signal}_exporter_none"] == verified.wrong
    said = verified.said(f"{signal}_exporter_none")
    assert f"{variable}=none" in said
    assert f"--signals {other}" in said
    assert [] == verify({variable: "none"}, required=(other,)).findings


@pytest.mark.parametrize("sampler", ["always_off", "parentbased_always_off"])
def test_no_span_is_sampled(verify: Verify, sampler: str) -> None:
    verified = verify({"OTEL_TRACES_SAMPLER": sampler})
    assert ["sampler_off"] == verified.wrong
    assert [True] * 4 == [call["recorded"]["metrics"] for call in verified.result["calls"]]
    assert [] == verify({"OTEL_TRACES_SAMPLER": sampler}, required=("metrics",)).wrong


def test_some_spans_are_sampled(verify: Verify) -> None:
    verified = verify({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.0"})
    assert ([], ["sampler_ratio"]) == (verified.wrong, verified.notes)


def test_a_setting_with_a_value_that_is_not_valid(verify: Verify) -> None:
    verified = verify({"OTEL_INSTRUMENTATION_AFTER200_SPANS": "both"})
    assert ["setting_invalid"] == verified.wrong
    said = verified.said("setting_invalid")
    assert "OTEL_INSTRUMENTATION_AFTER200_SPANS='both' is not valid" in said
    assert "auto, own, annotate, none" in said


def test_a_setting_that_does_not_exist(verify: Verify) -> None:
    verified = verify({"OTEL_INSTRUMENTATION_AFTER200_SPAN": "own"})
    assert ["setting_unknown"] == verified.wrong
    assert "OTEL_INSTRUMENTATION_AFTER200_SPANS" in verified.said("setting_unknown")


def test_spans_turned_off_on_purpose_are_a_note(verify: Verify) -> None:
    verified = verify({"OTEL_INSTRUMENTATION_AFTER200_SPANS": "none"})
    assert ([], ["spans_off"]) == (verified.wrong, verified.notes)


def test_a_sampler_that_does_not_exist_is_no_reason_to_fail(verify: Verify) -> None:
    verified = verify({"OTEL_TRACES_SAMPLER": "sometimes"})
    assert ([], ["sampler_unknown"]) == (verified.wrong, verified.notes)


def test_a_configurator_that_does_not_exist(verify: Verify) -> None:
    verified = verify({"OTEL_PYTHON_CONFIGURATOR": "nobody"})
    assert ["no_traces_exporter", "no_metrics_exporter"] == verified.wrong
