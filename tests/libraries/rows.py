# SPDX-License-Identifier: Apache-2.0
"""The rows of the SDK's table of scenarios, as they are for a call through an HTTP library."""

from __future__ import annotations

from dataclasses import replace

import urllib3

from ..support.streams.row import COMPLETED, NO_ANSWER, Row, lost
from .ways import Way

URLLIB3_1 = urllib3.__version__.startswith("1.")
"""Whether requests takes a body that is too short, and a read of an encoded body may give nothing before its end."""

UNDECODABLE = ("gzip_absent", "gzip_broken")

ALL_AT_ONCE = ("aiohttp content.read", "aiohttp read", "aiohttp text", "requests BufferedReader(raw)")
"""Ways to ask for more bytes in one read than come before a reset: the read raises, and hands on none of them."""

IN_FIXED_PIECES = ("aiohttp readexactly", "requests raw.read", "requests raw.read, encoded")
"""Ways to ask for a number of bytes: a reset takes the last piece, which is not full and ends the last chunk."""


def row_of(row: Row, way: Way) -> Row:
    """The row of the SDK's table as it is where nobody but the application decodes."""
    if row.scenario in ("body_message_200", "body_message_as_event_stream_200") and way.stream:
        # The application has a whole message, whatever it asked for.
        return replace(row, stream=COMPLETED, stream_lazy=None)
    if row.scenario == "body_short" and URLLIB3_1 and way.client == "requests":
        return replace(row, stream=NO_ANSWER, whole=NO_ANSWER, whole_lazy=None)
    if row.scenario in UNDECODABLE and way.client != "httpx" and row.stream_lazy is not None:
        # The library decodes below the tap, so what it raises for that is seen.
        return replace(row, stream_lazy=replace(row.stream_lazy, raises="always"))
    if row.scenario == "reset_mid_stream" and way.stream:
        # The bytes that are judged are those that the library hands on.
        if way.name in ALL_AT_ONCE:
            return replace(row, stream=lost("first_chunk"), seen="nothing")
        if way.name in IN_FIXED_PIECES:
            return replace(row, chunks=row.chunks - 1)
    return row
