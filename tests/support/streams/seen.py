# SPDX-License-Identifier: Apache-2.0
"""What the application saw of a call: every event and the exception, as text, so that two runs can be compared.

The server gives every request a number of its own, and so does the test; they are taken out,
as are addresses of objects.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

_NUMBER = re.compile(r"(?<=_01)\d{22}|(?<=@)\d+(?=/)|(?<=via cancel scope ).*|(?<= object at )0x[0-9a-f]+")


class Seen:
    """What an application saw, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.exception: BaseException | None = None
        self._bytes = b""

    def __call__(self, event: object) -> None:
        """The application was given `event`. Where bytes are cut in pieces is up to the network, so they are joined."""
        if isinstance(event, bytes):
            self._bytes += event
        else:
            self.events.append(text(event))

    @property
    def whole(self) -> list[Any]:
        """Everything that there was to see."""
        return [
            *self.events,
            *map(text, unpacked(self._bytes)),
            *([] if self.exception is None else chain(self.exception)),
        ]


def unpacked(data: bytes) -> tuple[bytes, ...]:
    """The content of a gzip body and what follows it: how a number compresses is up to the number."""
    if not data.startswith(b"\x1f\x8b"):
        return (data,)
    packed = zlib.decompressobj(wbits=31)
    return packed.decompress(data), packed.unused_data, b"whole" if packed.eof else b"cut"


def chain(exception: BaseException | None) -> Iterator[dict[str, Any]]:
    """An exception, and what caused it."""
    while exception is not None:
        yield {
            "class": qualified_name(exception),
            "str": text(str(exception)),
            "args": text(exception.args),
            "notes": getattr(exception, "__notes__", None),
            "suppressed": exception.__suppress_context__,
            "caused": exception.__cause__ is not None,
            **{
                name: text(getattr(exception, name))
                for name in ("status_code", "body", "message", "type", "request_id", "response", "request")
                if name in vars(exception) or hasattr(type(exception), name)
            },
        }
        exception = exception.__cause__ or exception.__context__


def text(value: object) -> str:
    """`value` as it shows itself, but for the number of the request."""
    return _NUMBER.sub("N", value if isinstance(value, str) else repr(value))


def qualified_name(exception: BaseException) -> str:
    """The name of an exception's class as the conventions write it."""
    cls = type(exception)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def came_out_of_the_request(exception: BaseException) -> bool:
    """Whether `exception` was raised while the SDK made the request, and not while its answer was read."""
    traceback = exception.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_name == "request" and code.co_filename.endswith("_base_client.py"):
            return True
        traceback = traceback.tb_next
    return False
