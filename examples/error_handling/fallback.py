# SPDX-License-Identifier: Apache-2.0
"""Ask another model when the first one is overloaded. No other failure changes the model."""

from __future__ import annotations

import anthropic

from after200 import classify

MODELS = ("claude-opus-5", "claude-sonnet-5", "claude-haiku-4-5")


def answer(question: str) -> tuple[str, str]:
    """Returns the model that answered, and its answer. Raises the error of the last model when all are overloaded."""
    for model in MODELS:
        try:
            return model, ask(model, question)
        except Exception as error:
            failure = classify(error)
            if failure is None or failure.failure != "overloaded" or model == MODELS[-1]:
                raise
    raise AssertionError("MODELS is empty")


def ask(model: str, question: str) -> str:
    """Returns the answer of `model`."""
    client = anthropic.Anthropic(max_retries=0)
    with client.messages.stream(
        model=model, max_tokens=256, messages=[{"role": "user", "content": question}]
    ) as stream:
        return "".join(stream.text_stream)
