# SPDX-License-Identifier: Apache-2.0
"""The bytes of one body, fed piece by piece as the application reads them → the facts of its call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..call.bodies import BodyReader, SSEReader, reader_for
from ..call.documents import Beginning
from ..call.error_bodies import ErrorReader
from ..call.events import CHUNK_NAME, is_plain_data
from ..call.facts import CHUNK_CAME, IS_MALFORMED, UNDECODABLE, Facts
from ..call.frames import FrameReader
from ..call.record import clock
from ..guard import guarded_feed
from ..names.endings import NEEDS_END_EVENT
from ..names.errors import is_http_error
from .decided import is_decided, mark_decided
from .decoders import as_bytes, make_decoders
from .protocols import Decoder, Headers
from .reading import deliver
from .running import RunningCall


def make_feed(running: RunningCall, headers: Headers, *, decoded: bool = False) -> BodyFeed:
    """Returns what parses the body of a response, and makes it the feed of `running`.

    Args:
        running: the call that the response answers.
        headers: the headers of the response: its media type and its content encoding.
        decoded: whether the bytes will come without their content encoding.
    """
    # Where it is not needed it is not asked for: httpx looks through all headers.
    reader = make_reader(running, None if running.events_are_parsed else headers.get("content-type"))
    running.feed = feed = BodyFeed(running, reader, () if decoded else make_decoders(headers))
    return feed


def feed_whole(running: RunningCall, body: bytes, content_type: str | None, *, as_text: bool = False) -> None:
    """Parses a whole body, which has been read and decoded.

    Args:
        running: the call that it answers.
        body: the body.
        content_type: what names its media type.
        as_text: whether the application asked for a message and gets any events as text.
    """
    running.feed = feed = BodyFeed(running, make_reader(running, content_type), ())
    if as_text and running.call.end_rule in NEEDS_END_EVENT:
        feed.parse_text(body)
    else:
        feed.parse(body)


def make_reader(running: RunningCall, content_type: str | None) -> BodyReader:
    """Returns what parses a body: whole, or only until the first event, where the events are parsed elsewhere."""
    call = running.call
    if running.events_are_parsed:
        return Beginning(call.end_rule)
    if call.client is not None and is_http_error(call.wire_status):
        return ErrorReader(call.end_rule)
    takes_whole = call.client is not None  # The application decodes the body itself.
    return reader_for(content_type or "", call.end_rule, stream=bool(call.stream), takes_whole=takes_whole)


class BodyFeed:
    """Reads the bytes of one body: through its content encoding, into the reader for its media type."""

    __slots__ = (
        *("_decoders", "_is_finished", "_lines", "_only_counts", "_progress", "_reader", "_running"),
        *("_is_plain_chunk", "_records_chunk_gaps", "is_done", "is_waiting"),
    )

    def __init__(self, running: RunningCall, reader: BodyReader, decoders: Sequence[Decoder]) -> None:
        """`decoders` undo the content encodings, in the order in which they are applied."""
        self._running = running
        self._reader: BodyReader | None = reader
        self._decoders = decoders
        self.is_waiting = False
        """Whether somebody waits for the next bytes, who reads bytes and no events."""
        self.is_done = False
        """Whether the rest of the bytes is not needed: the events are parsed elsewhere, and one came."""
        self._is_finished = False
        recording = running.recording
        self._progress = running.call.progress
        self._records_chunk_gaps = recording is None or recording.records_chunk_gaps
        self._is_plain_chunk: Callable[[bytes], bool] | None = None
        """Tells a plain chunk, which is only counted where it passes; None while the reader needs each piece."""
        self._only_counts = False
        """Whether a chunk without an error needs only be counted."""
        self._lines = b""
        """Of a plain chunk that comes line by line: its name, then its data. Neither has been fed to the reader."""

    def stop(self) -> None:
        """The rest is not needed. What was kept of the beginning goes: a stream may stay open for long."""
        self.is_done = True
        self._reader, self._decoders = None, ()
        self._is_plain_chunk = None

    @guarded_feed
    def feed(self, chunk: bytes) -> None:
        """Reads the next piece of the body, as it was sent.

        A chunk of which nothing else is needed is counted here: each further call would take as long as the counting.
        """
        if (is_plain_chunk := self._is_plain_chunk) is not None:
            lines = self._lines
            if not lines:
                if chunk == CHUNK_NAME:
                    self._lines = CHUNK_NAME
                    return
                is_chunk = is_plain_chunk(chunk)
            elif lines is CHUNK_NAME:
                if is_plain_data(chunk):
                    self._lines = chunk
                    return
                is_chunk = False
            elif is_chunk := chunk == b"\n":
                self._lines = b""
            if is_chunk:
                progress, now = self._progress, clock()
                gap = now - progress.last_chunk_at
                if gap > progress.longest_gap:
                    progress.longest_gap = gap
                progress.last_chunk_at = now
                progress.chunks += 1
                return
            chunk = self._taken_lines() + chunk
        self._decode(chunk)

    def _decode(self, chunk: bytes) -> None:
        if not self._decoders or self._reader is None:
            self.parse(chunk)
            return
        try:
            for decoder in self._decoders:
                chunk = as_bytes(decoder.decode(chunk))
        except MemoryError:
            self._reader = None  # That decoder is out of step with the body.
            raise
        except Exception:
            # The HTTP client, which decodes the same bytes, raises for them out of this very read.
            self._reader = None
            self._running.learn(UNDECODABLE)
            if not self._running.events_are_parsed:
                deliver(self._running, "stop")
        else:
            self.parse(chunk)

    def _count_chunk(self) -> None:
        """A chunk came of which nothing else is needed."""
        progress, now = self._progress, clock()
        gap = now - progress.last_chunk_at
        if gap > progress.longest_gap:
            progress.longest_gap = gap
        progress.last_chunk_at = now
        progress.chunks += 1

    def _taken_lines(self) -> bytes:
        """Returns the lines that the reader is about to be fed."""
        lines, self._lines = self._lines, b""
        return lines if lines in (b"", CHUNK_NAME) else CHUNK_NAME + lines

    def parse(self, chunk: bytes) -> None:
        """Reads the next piece of the body, which has been decoded."""
        # Put back only at the end: a reader that raised is out of step with the body.
        reader, self._reader = self._reader, None
        counts, self._is_plain_chunk = self._only_counts, None
        if reader is None:
            return
        running = self._running
        for facts in reader.feed(chunk):
            if counts and facts is CHUNK_CAME:
                self._count_chunk()
                continue
            running.learn(facts)
            if facts is not CHUNK_CAME and running.call.client is not None and is_decided(running.call):
                mark_decided(running)
        if reader.events:
            running.call.events = True
        self._reader = reader
        if not self._records_chunk_gaps and isinstance(reader, SSEReader | FrameReader) and reader.only_counts_chunks:
            self._only_counts = True
            if not self._decoders and reader.is_between_events:
                self._is_plain_chunk = reader.is_plain_chunk

    def parse_text(self, body: bytes) -> None:
        """Reads a whole body in which events are no answer; an error among them is the call's all the same."""
        reader = self._reader
        if reader is None:
            return
        all_facts = list(reader.feed(body))
        if not reader.events:
            return
        self._reader = None
        if not [facts for facts in all_facts if facts.error is not None]:
            all_facts = [Facts(message=facts.message) for facts in all_facts if facts.message is not None]
            all_facts.append(IS_MALFORMED)
        for facts in all_facts:
            self._running.learn(facts)

    def finish(self) -> Iterable[Facts]:
        """Yields what the end of the body says, the first time."""
        if self._is_finished:
            return
        self._is_finished = True
        self._feed_lines()
        if self._reader is None:
            return  # What was not read is never an answer.
        try:
            rest = self._flush()
        except MemoryError:  # Says nothing of the bytes.
            raise
        except Exception:
            # The HTTP client raises for the same bytes, once it has the last of them.
            yield UNDECODABLE
        else:
            yield from self._reader.feed(rest)
            yield from self._reader.finish()

    def _feed_lines(self) -> None:
        if self._lines:
            self.parse(self._taken_lines())

    def _flush(self) -> bytes:
        """Returns what the decoders have kept of the body."""
        rest = b""
        for decoder in self._decoders:
            rest = as_bytes(decoder.decode(rest)) + as_bytes(decoder.flush()) if rest else as_bytes(decoder.flush())
        return rest

    def leave(self) -> Iterable[Facts]:
        """Returns what the application has read of an event that is not complete, which it leaves."""
        self._feed_lines()
        leave = getattr(self._reader, "leave", None)
        return () if leave is None else leave()
