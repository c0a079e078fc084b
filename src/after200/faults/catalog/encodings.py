# SPDX-License-Identifier: Apache-2.0
"""`content-encoding: gzip` on a body that is not gzip, that stops to be gzip, or whose end is missing."""

from __future__ import annotations

import gzip

from ..scenarios import COMPLETED, MID_STREAM, Scenario, scenario
from ..steps import Answer, End, Play, Raw, Status, Whole
from ..wires import encode_json
from .gateways import ENVELOPE, OVERLOADED
from .http_errors import SOON

TITLE = "Gateways: wrong content encodings"
_BEGUN: Play = (Status(gzip="sound"), *MID_STREAM[1:])
_PACKED = gzip.compress(encode_json(ENVELOPE), mtime=0)
_GZIP = {"content-encoding": "gzip"}

SCENARIOS: tuple[Scenario, ...] = (
    scenario(
        "gzip_absent",
        "a body that is not compressed; the header says gzip",
        (Status(gzip="absent"), *COMPLETED[1:]),
        (Whole(gzip="absent"),),
    ),
    scenario(
        "gzip_broken",
        "a compressed body that stops to be gzip after some content",
        (*_BEGUN, Raw(b"\xff" * 64), End(gzip="cut")),
        (Whole(gzip="broken"),),
    ),
    scenario(
        "gzip_cut",
        "a compressed body whose end is missing, after some content",
        (*_BEGUN, End(gzip="cut")),
        (Whole(gzip="cut"),),
    ),
    scenario(
        "gzip_cut_after_message_stop",
        "a compressed stream with message_stop; the end of the gzip format is missing",
        (Status(gzip="sound"), *COMPLETED[1:-1], End(gzip="cut")),
        (Whole(gzip="cut"),),
    ),
    scenario(
        "body_error_200_gzip",
        "HTTP 200 whose whole body is an overloaded_error, compressed",
        (Answer(200, _PACKED, _GZIP, failure=OVERLOADED),),
    ),
    scenario(
        "http_529_gzip",
        "HTTP 529 with a JSON body, overloaded_error, compressed",
        (Answer(529, _PACKED, {**_GZIP, **SOON}, failure=OVERLOADED),),
    ),
)
