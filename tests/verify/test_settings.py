# SPDX-License-Identifier: Apache-2.0
"""What a setting of the environment turns off or gets wrong."""

from __future__ import annotations

import pytest

from .verified import Verify


@pytest.mark.variants(covers=lambda variable, value: [variable])
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "after200"),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "requests, after200"),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "*"),
    ],
)
def test_everything_is_turned_off(verify: Verify, variable: str, value: str) -> None:
    verified = verify(settings={variable: value})
    assert ["turned_off"] == verified.wrong
    assert f"{variable}={value} turns off what must be exported" in verified.said("turned_off")


@pytest.mark.variants(covers=lambda variable, value, signal, other: [variable])
@pytest.mark.parametrize(
    ("variable", "value", "signal", "other"),
    [
        ("OTEL_TRACES_EXPORTER", "none", "traces", "metrics"),
        ("OTEL_METRICS_EXPORTER", "none", "metrics", "traces"),
        ("OTEL_TRACES_SAMPLER", "always_off", "traces", "metrics"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_off", "traces", "metrics"),
    ],
)
def test_one_signal_is_turned_off(verify: Verify, variable: str, value: str, signal: str, other: str) -> None:
    verified = verify(settings={variable: value})
    assert ["turned_off"] == verified.wrong
    assert f"{variable}={value} turns off" in verified.said("turned_off")
    assert {signal: [False] * 5, other: [True] * 5} == verified.recorded
    assert [] == verify("--signals", other, settings={variable: value}).result["findings"]


def test_some_spans_are_sampled(verify: Verify) -> None:
    verified = verify(settings={"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.0"})
    assert ([], ["fewer_spans"]) == (verified.wrong, verified.notes)


def test_spans_turned_off_on_purpose_are_a_note(verify: Verify) -> None:
    verified = verify(settings={"OTEL_INSTRUMENTATION_AFTER200_SPANS": "none"})
    assert ([], ["fewer_spans"]) == (verified.wrong, verified.notes)


def test_a_setting_with_a_value_that_is_not_valid(verify: Verify) -> None:
    verified = verify(settings={"OTEL_INSTRUMENTATION_AFTER200_SPANS": "both"})
    assert ["warned"] == verified.wrong
    said = verified.said("warned")
    assert "OTEL_INSTRUMENTATION_AFTER200_SPANS='both' is not valid" in said
    assert "auto, own, annotate, none" in said


def test_a_setting_that_does_not_exist(verify: Verify) -> None:
    verified = verify(settings={"OTEL_INSTRUMENTATION_AFTER200_SPAN": "own"})
    assert ["warned"] == verified.wrong
    assert "There is no environment variable OTEL_INSTRUMENTATION_AFTER200_SPAN," in verified.said("warned")


def test_a_sampler_that_does_not_exist(verify: Verify) -> None:
    verified = verify(settings={"OTEL_TRACES_SAMPLER": "sometimes"})
    assert ["warned"] == verified.wrong
    assert "Failed to initialize sampler, sometimes" in verified.said("warned")


def test_a_configurator_that_does_not_exist(verify: Verify) -> None:
    verified = verify(settings={"OTEL_PYTHON_CONFIGURATOR": "nobody"})
    assert ["no_exporter"] == verified.wrong
    said = verified.said("no_exporter")
    assert "without an exporter for traces" in said
    assert "without an exporter for metrics" in said
