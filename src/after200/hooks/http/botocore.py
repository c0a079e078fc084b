# SPDX-License-Identifier: Apache-2.0
"""botocore, and boto3 on it: around the sending of one HTTP request, with a tap on `raw`, the body.

Each retry of botocore is a request, and a call of its own. Bodies of operations that do not stream are read inside.
"""

from __future__ import annotations

from typing import Final

from ...call.observer import CallObserver
from ...following.current import NOTHING, make_current
from ...following.running import RunningCall
from ...guard import guarded
from ..patches import Target
from ..wrappers import ABSENT, Arguments, Keywords, Wrapped
from .calls import Kind, find_kind
from .exchange import Answer, Exchange, Headers, end_raised, end_read, follow_unread, server_in
from .protocols import BotocoreRequest, BotocoreResponse, Request
from .raw import follow_raw

CLIENT: Final = "botocore"


class BotocoreHooks:
    """The wrapper, with the signature that wrapt asks for."""

    def __init__(self, observer: CallObserver) -> None:
        self._exchange = Exchange(observer, CLIENT)

    def send(self, wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
        """Around `URLLib3Session.send`."""
        request = args[0] if args else kwargs.get("request", ABSENT)
        kind = kind_of(request)
        running = None if kind is None else self._begin(kind, request)
        if running is None:
            return wrapped(*args, **kwargs)
        try:
            with make_current(running) or NOTHING:
                response = wrapped(*args, **kwargs)
        except BaseException as exception:
            end_raised(running, exception)
            raise
        end_or_follow(running, request, response)
        return response

    @guarded
    def _begin(self, kind: Kind, request: Request) -> RunningCall | None:
        """Returns the call that `request` is; None for one that is no call all the same, or must not be recorded."""
        host, port = server_in(request.url)
        has_version = "anthropic-version" in request.headers
        return self._exchange.begin(kind, request.body, has_version=has_version, host=host, port=port)


@guarded
def kind_of(request: Request) -> Kind | None:
    """Returns what kind of call `request` is, by its path."""
    return find_kind(request.url) if request.method == "POST" else None


@guarded
def end_or_follow(running: RunningCall, request: BotocoreRequest, response: BotocoreResponse) -> None:
    """Ends `running` by the body that is read already, or follows the body that is not."""
    answered = Answer(response.status_code, Headers(response.headers.items()))
    if request.stream_output:
        follow_unread(running, answered, lambda: follow_raw(running, response, answered.headers))
    else:
        end_read(running, answered, response.content)


def targets(observer: CallObserver, package: str) -> list[Target]:
    """Returns what of botocore is patched."""
    send = BotocoreHooks(observer).send
    return [Target(f"{package}.httpsession", "URLLib3Session.send", send, "every call through botocore")]
