# SPDX-License-Identifier: Apache-2.0
"""botocore, and boto3 on it: around the sending of one HTTP request, with a tap on `raw`, the body.

Each retry of botocore is a request, and a call of its own. Bodies of operations that do not stream are read inside.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from ...call.observer import CallObserver
from ...following.running import RunningCall
from ...guard import guarded
from ..patches import Target
from ..wrappers import ABSENT, Arguments, Keywords, Wrapped
from .exchange import Answer, Exchange, Headers, end_read, follow_unread
from .protocols import BotocoreRequest, BotocoreResponse
from .raw import follow_raw
from .sending import send

CLIENT: Final = "botocore"


class BotocoreHooks:
    """The wrapper, with the signature that wrapt asks for."""

    def __init__(self, observer: CallObserver) -> None:
        self._exchange = Exchange(observer, CLIENT)

    def send(self, wrapped: Wrapped, instance: object, args: Arguments, kwargs: Keywords) -> object:
        """Around `URLLib3Session.send`."""
        request = args[0] if args else kwargs.get("request", ABSENT)
        running = self._exchange.begin_prepared(request)
        if running is None:
            return wrapped(*args, **kwargs)
        return send(running, wrapped, args, kwargs, answer_in, partial(end_or_follow, request))


@guarded
def end_or_follow(request: BotocoreRequest, running: RunningCall, response: BotocoreResponse) -> None:
    """Ends `running` by the body that is read already, or follows the body that is not."""
    answered = Answer(response.status_code, Headers(response.headers.items()))
    if request.stream_output:
        follow_unread(running, answered, lambda: follow_raw(running, response, answered.headers))
    else:
        end_read(running, answered, response.content)


def answer_in(exception: BaseException) -> Answer | None:
    """Returns None: what sends a request raises nothing for an HTTP error, a client does so later."""
    return None


def targets(observer: CallObserver, package: str) -> list[Target]:
    """Returns what of botocore is patched."""
    send = BotocoreHooks(observer).send
    return [Target(f"{package}.httpsession", "URLLib3Session.send", send, "every call through botocore")]
