# SPDX-License-Identifier: Apache-2.0
"""Every documented error type, walked both ways: it has all that belongs to one, and nothing else claims to be one.

A type has a status or is said to have none, a failure, a class in the SDK, a colour on the dashboards, a scenario of
the fault server that plays it, and rows in the documentation.
"""

from __future__ import annotations

import re
import sys

import pytest

from after200 import names
from after200.faults import SCENARIOS
from after200.faults.catalog.error_types import ANTHROPIC_ERRORS, BEDROCK_EXCEPTIONS
from after200.hooks.http.libraries import LIBRARIES
from after200.names import errors

from ..support.contract import BEDROCK, CLAUDE_API, CODES, OWN, SDK_CLASSES, WORTH_A_RETRY
from ..support.make import ROOT

PLAYED = {
    **{error_type: f"{error_type}_mid_stream" for error_type in CLAUDE_API},
    **{error_type: f"bedrock_{error_type}_mid" for error_type in BEDROCK},
    "client_timeout_error": "stall_mid_stream",
    "connection_error": "reset_mid_stream",
    "stream_truncated": "end_without_message_stop",
    "stream_malformed": "not_json_mid_stream",
}
"""Error type → a scenario that ends in it."""


def test_the_table_of_types_is_the_contract_s_and_nothing_else() -> None:
    assert (CLAUDE_API, BEDROCK, OWN) == (errors.OF_THE_API, errors.OF_BEDROCK, errors.OF_OURS)
    assert {**CLAUDE_API, **BEDROCK, **OWN} == errors.ERROR_TYPES


def test_the_table_of_codes_is_the_contract_s_and_nothing_else() -> None:
    assert CODES == errors.FAILURE_BY_CODE
    assert set() == errors.OTHER_CODES & set(CODES)


def test_the_failures_are_the_contract_s_and_so_is_which_are_worth_a_retry() -> None:
    assert set(WORTH_A_RETRY) == set(names.FAILURES)
    assert {failure for failure, worth in WORTH_A_RETRY.items() if worth} == errors.RETRYABLE


def test_each_type_but_our_own_has_a_status_and_the_fault_server_sends_it_with_that_status() -> None:
    assert {name: status for name, (status, _) in CLAUDE_API.items()} == {
        name: status for name, (status, _) in ANTHROPIC_ERRORS.items()
    }
    assert {name: status for name, (status, _) in BEDROCK.items()} == {
        name: status for name, (status, _) in BEDROCK_EXCEPTIONS.items()
    }
    assert {None} == {status for status, _ in OWN.values()}


def test_each_type_has_a_failure_and_each_failure_but_the_last_has_a_type() -> None:
    assert {*names.FAILURES} - {"other"} == {row.failure for row in errors.ERROR_TYPES.values()}


def test_each_type_of_the_api_is_corrected_to_a_class_of_the_sdk() -> None:
    assert SDK_CLASSES == {
        error_type: (
            *errors.SDK_CLASSES.get(status, ()),
            *SDK_CLASSES[error_type][len(errors.SDK_CLASSES.get(status, ())) :],  # And then the nearest base.
        )
        for error_type, (status, _) in CLAUDE_API.items()
    }
    assert set(errors.SDK_CLASSES) <= set(errors.STATUSES)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the dashboards need Python 3.11")
def test_each_type_and_each_status_has_the_colour_of_its_failure_or_a_shade_of_its_own() -> None:
    from after200.monitoring import colors

    assert set(names.FAILURES) == set(colors.FAILURES)
    assert {*errors.ERROR_TYPES, *map(str, errors.STATUSES), names.OTHER} == set(colors.ERROR_TYPES)
    assert {name: colors.FAILURES[row.failure] for name, row in errors.ERROR_TYPES.items()} == {
        name: colors.ERROR_TYPES[name] for name in errors.ERROR_TYPES
    }
    assert {"200", colors.NO_RESPONSE, colors.NONE, *map(str, errors.STATUSES)} == set(colors.STATUSES)
    shades = [color for status, color in colors.STATUSES.items() if color not in colors.FAILURES.values()]
    assert len(shades) == len(set(shades))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the dashboards need Python 3.11")
def test_each_client_has_a_colour_of_its_own() -> None:
    from after200.monitoring import colors

    of_client = colors.OF[names.CLIENT]
    assert {colors.SDK, *LIBRARIES} == set(of_client)
    assert len(of_client) == len(set(of_client.values()))


def test_each_type_is_played_by_a_scenario() -> None:
    assert set(errors.ERROR_TYPES) == set(PLAYED)
    assert set() == set(PLAYED.values()) - set(SCENARIOS)


def test_each_type_has_a_row_in_the_page_of_what_is_recorded() -> None:
    page = (ROOT / "docs" / "what-is-recorded.md").read_text("utf-8")
    section = page.partition("\n## Error types\n")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)`[^|]*\| [^|]* \| `(\w+)` \|", section, re.M))
    assert {name: row.failure for name, row in errors.ERROR_TYPES.items()} == rows


def test_what_alerts_watch_is_documented_and_so_are_the_caller_s_faults() -> None:
    watched = {*errors.WATCHED, *errors.WATCHED_ON_STREAMS, *errors.WATCHED_ON_BEDROCK_STREAMS}
    assert set() == watched - set(errors.ERROR_TYPES)
    assert set() == set(errors.CALLER_FAULTS) & errors.RETRYABLE
