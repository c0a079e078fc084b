# SPDX-License-Identifier: Apache-2.0
"""What ends the body of each kind of call."""

from __future__ import annotations

from typing import Final, Literal, get_args

EndRule = Literal["message", "completion", "converse", "lines", "open"]
"""What ends a good body: `message_stop` or a whole message (`message`), an event with a `stop_reason` (`completion`,
the Text Completions API), `messageStop` (`converse`, Amazon Bedrock), the end of its lines (`lines`, the results of a
batch), or just its end (`open`, the events of an agent's session)."""

END_RULES: Final[tuple[EndRule, ...]] = get_args(EndRule)

NEEDS_END_EVENT: Final[frozenset[EndRule]] = frozenset({"message", "completion", "converse"})
"""The end rules of calls whose answer is one text: a stream of it comes in chunks, and has an end event. One that ends
without it was cut."""
