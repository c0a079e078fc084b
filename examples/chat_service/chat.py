# SPDX-License-Identifier: Apache-2.0
"""A small chat service: prompts go in, answers are streamed from the Claude API, one line of JSON comes out for each.

An ordinary program. It catches what the SDK raises, lets the SDK retry, hangs up when it has read enough, and knows
nothing of telemetry. Where the API is, and with which key, the SDK takes from ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.

    echo "What is a monad?" | python chat.py
    python chat.py --calls 100 --seed 7
    python chat.py --calls 100 --client httpx

With `--client`, it answers through httpx or LiteLLM and without the SDK (`without_the_sdk.py`). Nobody then hangs
up, and nothing is tried again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import anthropic

SUBJECTS = ("the tides", "a monad", "sourdough", "the offside rule", "entropy", "a sonnet", "compound interest")
TASKS = ("Explain {} to a child.", "Write a haiku about {}.", "What is the history of {}?", "Who discovered {}?")
ENOUGH = 3
"""Pieces of text after which an impatient reader hangs up."""


@dataclass(frozen=True)
class Question:
    """A prompt, how its answer is to be read, and whether the reader will hang up half-way."""

    number: int
    text: str
    manner: str
    impatient: bool


@dataclass
class Reply:
    """What became of a question, as the service sees it."""

    number: int
    manner: str
    result: str = "answered"
    request_id: str | None = None
    characters: int = 0
    error: str | None = None
    status: int | None = None


class Reader:
    """Whoever reads an answer piece by piece, and may have enough of it before its end."""

    def __init__(self, question: Question, reply: Reply) -> None:
        self._pieces_left = ENOUGH if question.impatient else None
        self._reply = reply

    def hangs_up_after(self, text: str) -> bool:
        """Take in a piece of the answer; True when it was enough."""
        self._reply.characters += len(text)
        if self._pieces_left is not None:
            self._pieces_left -= 1
            if self._pieces_left == 0:
                self._reply.result = "left"
        return self._reply.result == "left"


class ChatService:
    """Answers questions; each manner of reading an answer is one method."""

    def __init__(self, model: str, timeout: float, retries: int) -> None:
        self._model = model
        self._client = anthropic.Anthropic(timeout=timeout, max_retries=retries)
        self._async_client = anthropic.AsyncAnthropic(timeout=timeout, max_retries=retries)
        self._manners = {
            "events": self._read_events,
            "text": self._read_text,
            "thread": self._read_in_thread,
            "whole": self._read_whole,
        }

    async def answer(self, question: Question) -> Reply:
        """Ask the API, and take whatever happens as an answer, a hang-up or a failure."""
        reply = Reply(question.number, question.manner)
        try:
            await self._manners[question.manner](question, reply)
        except anthropic.APIStatusError as error:
            reply.result, reply.error, reply.status = "failed", type(error).__name__, error.status_code
        except Exception as error:  # the SDK lets errors of its HTTP library and of its decoder through
            reply.result, reply.error = "failed", type(error).__name__
        return reply

    async def close(self) -> None:
        """Give the connections back."""
        self._client.close()
        await self._async_client.close()

    async def _read_events(self, question: Question, reply: Reply) -> None:
        stream = await self._async_client.messages.create(**self._request(question), stream=True)
        reply.request_id = stream.response.headers.get("request-id")
        reader = Reader(question, reply)
        async with stream:
            async for event in stream:
                is_text = event.type == "content_block_delta" and event.delta.type == "text_delta"
                if is_text and reader.hangs_up_after(event.delta.text):
                    break

    async def _read_text(self, question: Question, reply: Reply) -> None:
        async with self._async_client.messages.stream(**self._request(question)) as stream:
            reply.request_id = stream.response.headers.get("request-id")
            reader = Reader(question, reply)
            async for text in stream.text_stream:
                if reader.hangs_up_after(text):
                    break

    async def _read_in_thread(self, question: Question, reply: Reply) -> None:
        await asyncio.to_thread(self._read_text_sync, question, reply)

    def _read_text_sync(self, question: Question, reply: Reply) -> None:
        with self._client.messages.stream(**self._request(question)) as stream:
            reply.request_id = stream.response.headers.get("request-id")
            reader = Reader(question, reply)
            for text in stream.text_stream:
                if reader.hangs_up_after(text):
                    break

    async def _read_whole(self, question: Question, reply: Reply) -> None:
        message = await self._async_client.messages.create(**self._request(question))
        reply.request_id = getattr(message, "_request_id", None)
        reply.characters = sum(len(block.text) for block in message.content if block.type == "text")

    def _request(self, question: Question) -> dict[str, Any]:
        return {
            "model": self._model,
            "max_tokens": 512,
            "messages": [{"role": "user", "content": question.text}],
            "metadata": {"user_id": f"reader-{question.number}"},
        }


def make_questions(texts: Iterable[str], seed: int, *, patient: bool = False) -> Iterator[Question]:
    """Questions with the habits of their readers, who hang up now and then unless they are patient.

    The same seed gives the same habits.
    """
    habits = random.Random(seed)
    for number, text in enumerate(texts, start=1):
        manner = habits.choices(("events", "text", "thread", "whole"), weights=(4, 4, 2, 1))[0]
        yield Question(number, text, manner, impatient=manner != "whole" and not patient and habits.random() < 0.05)


def patient_questions(texts: Iterable[str]) -> Iterator[Question]:
    """Questions whose answers are streamed and read to the end."""
    for number, text in enumerate(texts, start=1):
        yield Question(number, text, "text", impatient=False)


def make_texts(calls: int, seed: int) -> Iterator[str]:
    """So many prompts, all made up."""
    muse = random.Random(seed)
    for _ in range(calls):
        yield muse.choice(TASKS).format(muse.choice(SUBJECTS))


class Service(Protocol):
    """What answers questions."""

    async def answer(self, question: Question) -> Reply: ...

    async def close(self) -> None: ...


async def serve(service: Service, questions: Iterator[Question], workers: int) -> None:
    """Answer all questions, so many at a time, and print a line for each as it is done."""

    async def work() -> None:
        for question in questions:  # one iterator for all workers: each takes the next one
            print(json.dumps(asdict(await service.answer(question))), flush=True)

    await asyncio.gather(*(work() for _ in range(workers)))
    await service.close()


def main() -> None:
    """Read the options and answer what was asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, help="make up so many prompts; without it, each line of stdin is one")
    parser.add_argument("--seed", type=int, default=0, help="for the made-up prompts and the readers' habits")
    parser.add_argument("--habits", action="store_true", help="read the answers to stdin as made-up prompts are read")
    parser.add_argument("--model", default="claude-sonnet-5")
    parser.add_argument("--workers", type=int, default=16, help="how many calls at a time")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds without a byte before the SDK gives up")
    parser.add_argument("--retries", type=int, default=2, help="how often the SDK tries again by itself")
    parser.add_argument("--client", choices=("sdk", "httpx", "litellm"), default="sdk", help="what makes the calls")
    options = parser.parse_args()
    texts = make_texts(options.calls, options.seed) if options.calls else (line.strip() for line in sys.stdin)
    service: Service
    if options.client == "sdk":
        service = ChatService(options.model, options.timeout, options.retries)
    else:
        from without_the_sdk import SERVICES

        service = SERVICES[options.client](options.model, options.timeout)
    habits = options.calls or options.habits
    made_up = make_questions(texts, options.seed, patient=options.client != "sdk")
    questions = made_up if habits else patient_questions(texts)
    asyncio.run(serve(service, questions, options.workers))


if __name__ == "__main__":
    main()
