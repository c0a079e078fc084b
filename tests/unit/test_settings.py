# SPDX-License-Identifier: Apache-2.0
"""Keywords and environment → settings. What is not valid is named, with what is accepted, and the default holds."""

from __future__ import annotations

from typing import Any

import pytest

from after200.settings import Settings, read_settings

PREFIX = "OTEL_INSTRUMENTATION_AFTER200_"


def test_the_defaults_are_the_contract_s() -> None:
    assert Settings(spans="auto", genai_metrics=True, chunk_timing=False, correct_exceptions=False) == read_settings(
        {}, {}
    )


@pytest.mark.parametrize(
    ("keywords", "environment", "expected"),
    [
        ({"spans": "own"}, {}, Settings(spans="own")),
        ({"spans": "annotate"}, {}, Settings(spans="annotate")),
        ({"spans": " NONE "}, {}, Settings(spans="none")),
        ({"genai_metrics": False}, {}, Settings(genai_metrics=False)),
        ({"chunk_timing": True}, {}, Settings(chunk_timing=True)),
        ({"correct_exceptions": "true"}, {}, Settings(correct_exceptions=True)),
        ({}, {"SPANS": "own"}, Settings(spans="own")),
        ({}, {"SPANS": "Own "}, Settings(spans="own")),
        ({}, {"GENAI_METRICS": "false"}, Settings(genai_metrics=False)),
        ({}, {"GENAI_METRICS": "FALSE"}, Settings(genai_metrics=False)),
        ({}, {"CHUNK_TIMING": " True "}, Settings(chunk_timing=True)),
        ({}, {"CORRECT_EXCEPTIONS": "true"}, Settings(correct_exceptions=True)),
        ({}, {"SPANS": "", "CHUNK_TIMING": "  "}, Settings()),
        ({"spans": None}, {"SPANS": "none"}, Settings(spans="none")),
        ({"spans": "own"}, {"SPANS": "none"}, Settings(spans="own")),
        ({"chunk_timing": False}, {"CHUNK_TIMING": "true"}, Settings(chunk_timing=False)),
        ({"something": "else"}, {"SOMETHING": "else"}, Settings()),
    ],
)
def test_a_keyword_comes_before_the_environment_and_that_before_the_default(
    keywords: dict[str, Any], environment: dict[str, str], expected: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert expected == read_settings(keywords, {PREFIX + name: value for name, value in environment.items()})
    assert [] == caplog.messages


@pytest.mark.parametrize(
    ("keywords", "environment", "message"),
    [
        (
            {},
            {"SPANS": "both"},
            "OTEL_INSTRUMENTATION_AFTER200_SPANS='both' is not valid: accepted is one of auto, own, annotate, none. "
            "Using 'auto'.",
        ),
        (
            {},
            {"GENAI_METRICS": "no"},
            "OTEL_INSTRUMENTATION_AFTER200_GENAI_METRICS='no' is not valid: accepted is true or false. Using True.",
        ),
        (
            {},
            {"CHUNK_TIMING": "1"},
            "OTEL_INSTRUMENTATION_AFTER200_CHUNK_TIMING='1' is not valid: accepted is true or false. Using False.",
        ),
        (
            {},
            {"CORRECT_EXCEPTIONS": "yes"},
            "OTEL_INSTRUMENTATION_AFTER200_CORRECT_EXCEPTIONS='yes' is not valid: accepted is true or false. "
            "Using False.",
        ),
        (
            {"spans": 7},
            {},
            "keyword spans=7 is not valid: accepted is one of auto, own, annotate, none. Using 'auto'.",
        ),
        (
            {"chunk_timing": 1},
            {},
            "keyword chunk_timing=1 is not valid: accepted is true or false. Using False.",
        ),
        (
            {"spans": "both"},
            {"SPANS": "own"},
            "keyword spans='both' is not valid: accepted is one of auto, own, annotate, none. Using 'auto'.",
        ),
    ],
)
def test_what_is_not_valid_is_named_once_with_what_is_accepted_and_the_default_holds(
    keywords: dict[str, Any], environment: dict[str, str], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert Settings() == read_settings(keywords, {PREFIX + name: value for name, value in environment.items()})
    assert [("after200", "WARNING", message)] == [
        (record.name, record.levelname, record.getMessage()) for record in caplog.records
    ]


def test_one_wrong_value_does_not_take_the_others_with_it(caplog: pytest.LogCaptureFixture) -> None:
    environment = {f"{PREFIX}SPANS": "both", f"{PREFIX}CHUNK_TIMING": "true"}
    assert Settings(chunk_timing=True) == read_settings({}, environment)
    assert 1 == len(caplog.messages)


def test_the_environment_is_read_when_asked_not_when_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}SPANS", "none")
    assert Settings(spans="none") == read_settings({})
