# SPDX-License-Identifier: Apache-2.0
"""The failed calls one by one, with the request ids that the provider's support asks for, from a Tempo or a Loki.

Spans of failed calls are asked from Tempo by TraceQL, log records from Loki by LogQL; both are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from after200 import names
from after200.cli.marks import VERIFY_MODEL, VERIFY_SERVICE
from after200.cli.report.client import Client, UnusableError
from after200.cli.report.incident import Request
from after200.cli.report.window import Window
from after200.names.prometheus import label

MOST: Final = 200
"""How many failed calls are asked for."""

_FIELDS: Final = (names.ANTHROPIC_REQUEST_ID, names.ERROR_TYPE, names.REQUEST_MODEL)


def from_tempo(client: Client, window: Window) -> list[Request]:
    """Returns the failed calls that a Tempo has spans of, the newest first."""
    failed = "|".join(names.ERROR_OUTCOMES)
    query = f'{{ span.{names.OUTCOME} =~ "{failed}" }} | select({", ".join(f"span.{name}" for name in _FIELDS)})'
    found = client.get(
        "failed calls", "/api/search", q=query, limit=str(MOST), spss="20", start=str(window.begin), end=str(window.end)
    )
    try:
        return _newest(_spans(found))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UnusableError(f"the answer to failed calls is not that of a Tempo: {str(found)[:200]}") from None


def _spans(found: Any) -> Iterator[Request]:
    for trace in found.get("traces") or ():
        for spans in trace.get("spanSets") or [trace.get("spanSet") or {}]:
            for span in spans.get("spans") or ():
                values = {
                    each["key"]: str(next(iter(each["value"].values()), "")) for each in span.get("attributes") or ()
                }
                time = int(span["startTimeUnixNano"]) / 1e9 + int(span.get("durationNanos") or 0) / 1e9
                yield _request(time, values)


def from_loki(client: Client, window: Window) -> list[Request]:
    """Returns the failed calls that a Loki has log records of, the newest first."""
    query = f'{{service_name=~".+",service_name!~".*{VERIFY_SERVICE}"}} | {label(names.FAILURE)} != ""'
    between = {"start": f"{window.begin}000000000", "end": f"{window.end}000000000"}
    found = client.get("failed calls", "/loki/api/v1/query_range", query=query, limit=str(MOST), **between)
    try:
        return _newest(_records(found))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UnusableError(f"the answer to failed calls is not that of a Loki: {str(found)[:200]}") from None


def _records(found: Any) -> Iterator[Request]:
    known = {label(name): name for name in _FIELDS}
    for stream in found["data"]["result"]:
        values = {known.get(name, name): value for name, value in stream["stream"].items()}
        for time, *_ in stream["values"]:
            yield _request(int(time) / 1e9, values)


def _request(time: float, values: dict[str, str]) -> Request:
    request_id, error_type, model = (values.get(name, "") for name in _FIELDS)
    return Request(time, model, error_type, request_id)


def _newest(requests: Iterator[Request]) -> list[Request]:
    return sorted({each for each in requests if not each.model.startswith(VERIFY_MODEL)}, reverse=True)[:MOST]
