# SPDX-License-Identifier: Apache-2.0
"""The tap on a response of urllib3, which requests and botocore hand to the application as `raw`.

Every way of reading is one of urllib3's; which of them the response has is asked of the response itself, since requests
takes any object with a `read`. Each may decode the content or not, as it is asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from ...following.feeds import BodyFeed, make_feed
from ...following.reading import deliver
from ...following.responses import follow
from ...following.running import RunningCall
from ...guard import guarded
from .encodings import Decoders
from .exchange import Headers
from .protocols import RawBody, RawResponse

_Read = TypeVar("_Read")

Option = int | None
"""An argument of a read of urllib3: how many bytes it may return, or whether it decodes them."""

Buffer = bytearray | memoryview
"""What a read may fill."""


class Raw:
    """A response of urllib3: every read is reported. In all else it is the object that it stands for."""

    __slots__ = ("__weakref__", "_body", "_decoders", "_feed", "_running", "is_read_by_library")
    _body: RawBody
    _running: RunningCall
    _feed: BodyFeed
    _decoders: Decoders
    is_read_by_library: bool
    """Whether the library turns what is raised into an exception of its own, and reports that."""

    def __init__(self, body: RawBody, running: RunningCall, headers: Headers) -> None:
        own = {
            "_body": body,
            "_running": running,
            "_feed": make_feed(running, headers, decoded=True),
            "_decoders": Decoders(headers.get("content-encoding") or ""),
            "is_read_by_library": False,
        }
        for attribute, value in own.items():
            object.__setattr__(self, attribute, value)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The class of the body: somebody may ask for it."""
        return type(self._body)

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._body, attribute)
        wrapper = _READS.get(attribute)
        return found if wrapper is None else functools.partial(wrapper, self, found)

    def __setattr__(self, attribute: str, value: object) -> None:
        # `raw.decode_content = True` is how one asks for decoded bytes.
        setattr(self._body, attribute, value)

    def __repr__(self) -> str:
        return repr(self._body)

    @property
    def data(self) -> bytes:
        return self._whole(lambda: self._body.data)

    def __iter__(self) -> Iterator[bytes]:
        # urllib3's own gives the lines of the decoded body.
        return self._chunks(iter(self._body), hasattr(self._body, "stream") or self._decodes(None))

    def __next__(self) -> bytes:
        line: bytes = self.readline()
        if not line:
            raise StopIteration
        return line

    def __enter__(self) -> Raw:
        self._body.__enter__()
        return self

    def __exit__(self, *error: object) -> object:
        self._leave()
        return self._body.__exit__(*error)

    # --- what the reads do ---

    def _read(self, read: Callable[..., bytes], *args: Option, **keywords: Option) -> bytes:
        data = self._guarded_read(lambda: read(*args, **keywords))
        amount = args[0] if args else keywords.get("amt", keywords.get("size"))
        self._saw(data, self._decodes(args[1] if len(args) > 1 else keywords.get("decode_content")))
        if amount is None or amount < 0:
            self._ended()
        elif amount > 0 and not data:
            self._nothing_came()
        return data

    def _readline(self, read: Callable[..., bytes], *args: Option) -> bytes:
        line = self._guarded_read(lambda: read(*args))
        self._saw(line, self._decodes(None))
        if not line and not (args and args[0] == 0):
            self._nothing_came()
        return line

    def _readlines(self, read: Callable[..., list[bytes]], *args: Option) -> list[bytes]:
        lines = self._guarded_read(lambda: read(*args))
        self._saw(b"".join(lines), self._decodes(None))
        if not args:
            self._ended()
        return lines

    def _readinto(self, read: Callable[[Buffer], int | None], buffer: Buffer) -> int | None:
        length = self._guarded_read(lambda: read(buffer))
        if length:
            self._saw(bytes(memoryview(buffer)[:length]), self._decodes(None))
        elif len(buffer):
            self._nothing_came()
        return length

    def _stream(self, read: Callable[..., Iterator[bytes]], *args: Option, **keywords: Option) -> Iterator[bytes]:
        decodes = self._decodes(args[1] if len(args) > 1 else keywords.get("decode_content"))
        return self._chunks(read(*args, **keywords), decodes)

    def _chunks(self, chunks: Iterator[bytes], decodes: bool) -> Iterator[bytes]:
        running, feed = self._running, self._feed
        # What `_guarded_read` and `_saw` do, without a call of either for each chunk.
        take = feed.feed if decodes or not self._decoders else self._decode
        while True:
            feed.is_waiting = True
            try:
                chunk = next(chunks)
            except StopIteration:
                break
            except BaseException as exception:
                self._raised(exception)
                raise
            feed.is_waiting = False
            if chunk and running.ended is None:
                take(chunk)
            yield chunk
        self._ended()

    def _json(self, read: Callable[[], object]) -> object:
        self._whole(lambda: self._body.data)
        return read()

    def _whole(self, read: Callable[[], bytes]) -> bytes:
        data = self._guarded_read(read)
        self._saw(data, self._decodes(None))
        self._ended()
        return data

    def _close(self, close: Callable[..., object], *args: object, **keywords: object) -> object:
        self._leave()
        return close(*args, **keywords)

    def _decodes(self, asked: Option) -> bool:
        return bool(getattr(self._body, "decode_content", False) if asked is None else asked)

    def _guarded_read(self, read: Callable[[], _Read]) -> _Read:
        self._feed.is_waiting = True
        try:
            result = read()
        except BaseException as exception:
            self._raised(exception)
            raise
        self._feed.is_waiting = False
        return result

    # --- what is reported ---

    @guarded
    def _saw(self, data: bytes, decoded: bool) -> None:
        if data and self._running.ended is None:
            (self._feed.feed if decoded or not self._decoders else self._decode)(data)

    @guarded
    def _decode(self, data: bytes) -> None:
        """Feeds `data`, which the application gets as it was sent."""
        text = self._decoders.decode(data)
        if text is None:
            self._feed.stop()  # Nothing more is known of this body.
        else:
            self._feed.feed(text)

    @guarded
    def _nothing_came(self) -> None:
        """A read gave nothing: the body is at its end, unless the decoder of urllib3 1 only wants more bytes."""
        is_closed = getattr(self._body, "isclosed", None)
        try:
            ended = is_closed is None or is_closed()
        except ValueError:  # urllib3 cannot know of a body that is nothing like a file.
            ended = True
        if ended:
            self._ended()

    def _ended(self) -> None:
        deliver(self._running, "stop")

    @guarded
    def _leave(self) -> None:
        # A body of a known length may be read to its last byte without a read that says so.
        deliver(self._running, "stop" if getattr(self._body, "length_remaining", None) == 0 else "close")

    def _raised(self, exception: BaseException) -> None:
        if not self.is_read_by_library or not isinstance(exception, Exception):
            deliver(self._running, "raise", exception)


_READS: Final[dict[str, Callable[..., object]]] = {
    "read": Raw._read,
    "read1": Raw._read,
    "readline": Raw._readline,
    "readlines": Raw._readlines,
    "readinto": Raw._readinto,
    "stream": Raw._stream,
    "read_chunked": Raw._stream,
    "json": Raw._json,
    "close": Raw._close,
    "release_conn": Raw._close,
    "drain_conn": Raw._close,
}
"""The methods that read or leave a body → what stands in their place."""


def follow_raw(running: RunningCall, response: RawResponse, headers: Headers) -> None:
    """Ends `running` when the `raw` body of `response` ends, in whichever way the application deals with it."""
    raw = Raw(response.raw, running, headers)
    # What reads the body holds on to `raw`, and not always to the response.
    follow(raw, running)
    response.raw = raw
