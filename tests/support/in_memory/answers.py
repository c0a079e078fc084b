# SPDX-License-Identifier: Apache-2.0
"""Answers of every kind, and a transport that plays them without a trace of what was read."""

from __future__ import annotations

from .bodies import CLOSING, DELTA, OPENING, START, STOP, Json, chunk, error, event
from .trace import Trace
from .transport import Answer


def body(*payloads: Json) -> tuple[bytes, ...]:
    return tuple(map(event, payloads))


HEAD = (START, OPENING, chunk("word "), chunk("and word"))


ANSWERS = (
    Answer(body(*HEAD, CLOSING, DELTA, STOP)),
    Answer(body(*HEAD, error("overloaded_error"))),
    Answer(body(*HEAD)),
    Answer((*body(*HEAD), b"event: content_block_delta\ndata: {\n\n")),
    Answer(body(*HEAD), breaks="reset"),
    Answer(body(error("api_error")), status=500, headers={"content-type": "application/json"}),
)


class Nothing(Trace):
    """A trace that keeps nothing."""

    def append(self, entry: object) -> None:
        pass
