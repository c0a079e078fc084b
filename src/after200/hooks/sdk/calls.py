# SPDX-License-Identifier: Apache-2.0
"""A call that the SDK makes."""

from __future__ import annotations

from ...call.facts import Facts
from ...call.record import Call
from ...following.running import RunningCall
from .objects import HTTPResponse


class SDKCall(RunningCall):
    """One call of the SDK, with what is remembered of the SDK's part in it."""

    __slots__ = ("corrects_exceptions", "odd_event", "sends_more", "whole_response")

    def __init__(self, call: Call, *, corrects_exceptions: bool, sends_more: bool) -> None:
        super().__init__(call)
        self.corrects_exceptions = corrects_exceptions
        """Whether an exception that is raised out of the stream gets the class of its corrected status."""
        self.sends_more = sends_more
        """Whether a middleware of the SDK may send further requests for this call while its body is read."""
        self.odd_event: Facts | None = None
        """What the last event said, if it has a name that some versions of the SDK drop."""
        self.whole_response: HTTPResponse | None = None
        """The HTTP response of a call that does not stream, until the request returns."""
