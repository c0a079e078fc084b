# SPDX-License-Identifier: Apache-2.0
"""Keywords and environment → settings. What is not valid is named, with what is accepted, and the default holds."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from after200.settings import PROVIDERS, HTTPInstrumentKeywords, InstrumentKeywords, Settings, read_settings

PREFIX = "OTEL_INSTRUMENTATION_AFTER200_"


def on_call_end(call: object) -> None:
    """What an application may want to be told."""


def test_the_defaults_are_the_contract_s() -> None:
    expected = Settings(
        spans="auto",
        genai_metrics=True,
        chunk_timing=False,
        correct_exceptions=False,
        on_call_end=None,
        metric_baggage=(),
    )
    assert expected == read_settings({}, {})


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
        ({"on_call_end": on_call_end}, {}, Settings(on_call_end=on_call_end)),
        ({"on_call_end": None}, {}, Settings()),
        ({"metric_baggage": "tenant.id"}, {}, Settings(metric_baggage=("tenant.id",))),
        ({"metric_baggage": ["tenant.id", "b"]}, {}, Settings(metric_baggage=("tenant.id", "b"))),
        ({}, {"METRIC_BAGGAGE": " a , b-c,d_e "}, Settings(metric_baggage=("a", "b-c", "d_e"))),
        ({}, {"METRIC_BAGGAGE": "a,a,b"}, Settings(metric_baggage=("a", "b"))),
        # Keywords that are not settings, and that the base class reads.
        (
            {
                "tracer_provider": None,
                "meter_provider": None,
                "logger_provider": None,
                "skip_dep_check": True,
                "raise_exception_on_conflict": True,
            },
            {},
            Settings(),
        ),
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
            {"METRIC_BAGGAGE": "a,b,c,d"},
            "OTEL_INSTRUMENTATION_AFTER200_METRIC_BAGGAGE='a,b,c,d' is not valid: accepted is "
            "at most 3 names of baggage entries, separated by commas, as in tenant.id,app.route. Using ().",
        ),
        (
            {"metric_baggage": "tenant id"},
            {},
            "keyword metric_baggage='tenant id' is not valid: accepted is at most 3 names of baggage entries, "
            "separated by commas, as in tenant.id,app.route. Using ().",
        ),
        (
            {"metric_baggage": 7},
            {},
            "keyword metric_baggage=7 is not valid: accepted is at most 3 names of baggage entries, separated by "
            "commas, as in tenant.id,app.route. Using ().",
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
        (
            {"on_call_end": "print"},
            {},
            "keyword on_call_end='print' is not valid: accepted is a callable that takes an EndedCall, and no "
            "coroutine function. Using None.",
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


KEYWORDS = (
    "spans, genai_metrics, chunk_timing, correct_exceptions, on_call_end, metric_baggage, flush_on_sigterm, "
    "tracer_provider, meter_provider, logger_provider"
)
VARIABLES = ", ".join(
    PREFIX + name
    for name in ("SPANS", "GENAI_METRICS", "CHUNK_TIMING", "CORRECT_EXCEPTIONS", "METRIC_BAGGAGE", "FLUSH_ON_SIGTERM")
)


@pytest.mark.parametrize(
    ("keywords", "environment", "messages"),
    [
        (
            {"span": "own"},
            {},
            [f"instrument() has no keyword 'span', so it is ignored. The keywords are: {KEYWORDS}."],
        ),
        (
            {},
            {"SPAN": "own"},
            [f"There is no environment variable {PREFIX}SPAN, so it is ignored. The variables are: {VARIABLES}."],
        ),
        # A keyword only.
        (
            {},
            {"ON_CALL_END": "print"},
            [
                f"There is no environment variable {PREFIX}ON_CALL_END, so it is ignored. "
                f"The variables are: {VARIABLES}."
            ],
        ),
        # The names of variables are what they are, in upper case.
        (
            {},
            {"spans": "own"},
            [f"There is no environment variable {PREFIX}spans, so it is ignored. The variables are: {VARIABLES}."],
        ),
        (
            {"a": None, "b": 1},
            {"": "1"},
            [
                f"instrument() has no keyword 'a', so it is ignored. The keywords are: {KEYWORDS}.",
                f"instrument() has no keyword 'b', so it is ignored. The keywords are: {KEYWORDS}.",
                f"There is no environment variable {PREFIX}, so it is ignored. The variables are: {VARIABLES}.",
            ],
        ),
    ],
)
def test_a_name_that_does_not_exist_is_named_once_per_process_with_those_that_do(
    keywords: dict[str, Any], environment: dict[str, str], messages: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert Settings() == read_settings(keywords, {PREFIX + name: value for name, value in environment.items()})
    assert [("after200", "WARNING", message) for message in messages] == [
        (record.name, record.levelname, record.getMessage()) for record in caplog.records
    ]


def test_the_variables_of_others_are_nobody_s_business_here(caplog: pytest.LogCaptureFixture) -> None:
    others = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true", "AFTER200_SPANS": "own", "HOME": "/"}
    assert Settings() == read_settings({}, others)
    assert [] == caplog.messages


def test_one_wrong_value_does_not_take_the_others_with_it(caplog: pytest.LogCaptureFixture) -> None:
    environment = {f"{PREFIX}SPANS": "both", f"{PREFIX}CHUNK_TIMING": "true"}
    assert Settings(chunk_timing=True) == read_settings({}, environment)
    assert 1 == len(caplog.messages)


def test_the_environment_is_read_when_asked_not_when_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}SPANS", "none")
    assert Settings(spans="none") == read_settings({})


def test_the_typed_keywords_are_those_that_instrument_takes() -> None:
    settings, of_no_door = {*vars(Settings())}, {"skip_dep_check", *PROVIDERS}
    assert settings | {"raise_exception_on_conflict"} == {*InstrumentKeywords.__annotations__} - of_no_door
    assert settings - {"correct_exceptions"} | {"libraries"} == {*HTTPInstrumentKeywords.__annotations__} - of_no_door


@pytest.mark.parametrize(
    "name", ["error.type", "error_type", "gen_ai.tenant", "after200.tenant", "job", "server.address", "http.route"]
)
def test_a_baggage_entry_whose_name_is_taken_is_ignored_with_one_warning(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert Settings(metric_baggage=("tenant.id",)) == read_settings({"metric_baggage": f"{name},tenant.id"}, {})
    message = (
        f"metric_baggage names {name!r}, which is the name of an attribute or a label already, so it is ignored. "
        "Choose another name for the entry, as in tenant.id."
    )
    assert [message] == caplog.messages


def test_entries_that_are_the_same_label_in_prometheus_are_one(caplog: pytest.LogCaptureFixture) -> None:
    assert Settings(metric_baggage=("tenant.id",)) == read_settings({"metric_baggage": "tenant.id,tenant_id"}, {})
    assert [] == caplog.messages


class AwaitedObject:
    async def __call__(self, call: object) -> None:
        raise AssertionError("nobody awaits this")


async def awaited(call: object) -> None:
    raise AssertionError("nobody awaits this")


@pytest.mark.parametrize("function", [awaited, AwaitedObject(), partial(awaited), AwaitedObject().__call__])
def test_a_coroutine_function_is_refused_because_nobody_would_await_it(
    function: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert Settings() == read_settings({"on_call_end": function}, {})
    [record] = caplog.records
    assert record.getMessage().endswith(
        "is not valid: accepted is a callable that takes an EndedCall, and no coroutine function. Using None."
    )
