# SPDX-License-Identifier: Apache-2.0
"""Send the request again when that can help, and only then: `classify` decides, `tenacity` waits."""

from __future__ import annotations

import anthropic
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

from after200 import classify


class Refused(Exception):  # noqa: N818
    """The model refused to answer. The same request would be refused again."""


def is_worth_a_retry(error: BaseException) -> bool:
    """Whether the same request can succeed when it is sent again."""
    failure = classify(error)
    return failure is not None and failure.retryable


@retry(
    retry=retry_if_exception(is_worth_a_retry),
    wait=wait_random_exponential(multiplier=0.1, max=10),  # seconds
    stop=stop_after_attempt(4),
    reraise=True,
)
def answer(question: str) -> str:
    """Returns the whole answer, so that a failed attempt leaves nothing behind.

    Raises the last error when no attempt succeeds, the first one when a retry cannot help (`billing`, `denied`,
    `invalid_request`, ...), and `Refused` when the model refuses: that is an answer and no error of the SDK.
    A stream that just ends raises nothing in the SDK; its message has no stop reason.
    """
    client = anthropic.Anthropic(max_retries=0)  # the SDK's own retries end where the stream begins
    with client.messages.stream(
        model="claude-sonnet-5", max_tokens=256, messages=[{"role": "user", "content": question}]
    ) as stream:
        message = stream.get_final_message()
    if message.stop_reason is None:
        raise ConnectionError("the stream ended before the answer did")
    if message.stop_reason == "refusal":
        raise Refused(question)
    return "".join(block.text for block in message.content if block.type == "text")
