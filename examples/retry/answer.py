# SPDX-License-Identifier: Apache-2.0
"""A function that asks Claude and tries again when the API is overloaded: the kind of code that many services have."""

from __future__ import annotations

import anthropic

WORTH_A_RETRY = (429, 500, 502, 503, 504, 529)


def answer(question: str, tries: int = 3) -> str:
    """Ask, and ask again after an error that may pass."""
    client = anthropic.Anthropic(max_retries=0)
    while True:
        tries -= 1
        try:
            with client.messages.stream(
                model="claude-sonnet-5", max_tokens=256, messages=[{"role": "user", "content": question}]
            ) as stream:
                return "".join(stream.text_stream)
        except anthropic.APIStatusError as error:
            if error.status_code not in WORTH_A_RETRY or tries == 0:
                raise
