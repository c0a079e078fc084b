# SPDX-License-Identifier: Apache-2.0
"""The chat service without the SDK: through httpx alone, and through LiteLLM.

Ordinary programs again. The one with httpx reads the events of a stream by itself, and looks for text. It does not know
an event that says that the answer failed, as many such programs do not. Neither tries again.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from chat import Question, Reply, Service

REQUEST_ID = "request-id"


class HTTPXChatService:
    """Answers questions with httpx."""

    def __init__(self, model: str, timeout: float) -> None:
        import httpx

        self._model = model
        headers = {"x-api-key": os.environ.get("ANTHROPIC_API_KEY", ""), "anthropic-version": "2023-06-01"}
        options: dict[str, Any] = {"headers": headers, "timeout": timeout, "base_url": os.environ["ANTHROPIC_BASE_URL"]}
        self._client = httpx.Client(**options)
        self._async_client = httpx.AsyncClient(**options)

    async def answer(self, question: Question) -> Reply:
        """Ask the API, and take whatever happens as an answer or a failure."""
        reply = Reply(question.number, question.manner)
        try:
            if question.manner == "whole":
                await self._read_whole(question, reply)
            elif question.manner == "thread":
                await asyncio.to_thread(self._read_sync, question, reply)
            else:
                await self._read(question, reply)
        except Exception as error:
            response = getattr(error, "response", None)
            reply.result, reply.error, reply.status = (
                "failed",
                type(error).__name__,
                getattr(response, "status_code", None),
            )
        return reply

    async def close(self) -> None:
        """Give the connections back."""
        self._client.close()
        await self._async_client.aclose()

    async def _read(self, question: Question, reply: Reply) -> None:
        async with self._async_client.stream("POST", "v1/messages", json=request(question, self._model)) as response:
            reply.request_id = response.headers.get(REQUEST_ID)
            if response.is_error:
                await response.aread()
                response.raise_for_status()
            async for line in response.aiter_lines():
                reply.characters += len(text_in(line))

    def _read_sync(self, question: Question, reply: Reply) -> None:
        with self._client.stream("POST", "v1/messages", json=request(question, self._model)) as response:
            reply.request_id = response.headers.get(REQUEST_ID)
            if response.is_error:
                response.read()
                response.raise_for_status()
            for line in response.iter_lines():
                reply.characters += len(text_in(line))

    async def _read_whole(self, question: Question, reply: Reply) -> None:
        response = await self._async_client.post("v1/messages", json=request(question, self._model))
        reply.request_id = response.headers.get(REQUEST_ID)
        message = response.raise_for_status().json()
        reply.characters = sum(len(block.get("text", "")) for block in message.get("content", ()))


def request(question: Question, model: str) -> dict[str, Any]:
    """What both ask for: the body of a request to the API, and what LiteLLM makes one of."""
    return {
        "model": model,
        "max_tokens": 512,
        "messages": [{"role": "user", "content": question.text}],
        "stream": question.manner != "whole",
    }


def text_in(line: str) -> str:
    """The text in a line of an event stream; none in a line of anything but a piece of text."""
    if not line.startswith("data:"):
        return ""
    event = json.loads(line.removeprefix("data:"))
    delta = event.get("delta", {}) if event.get("type") == "content_block_delta" else {}
    return str(delta.get("text", ""))


class LiteLLMChatService:
    """Answers questions with LiteLLM."""

    def __init__(self, model: str, timeout: float) -> None:
        litellm: Any = import_module("litellm")
        litellm.suppress_debug_info = True
        self._litellm = litellm
        self._model, self._timeout = f"anthropic/{model}", timeout

    async def answer(self, question: Question) -> Reply:
        """Ask the API, and take whatever happens as an answer or a failure."""
        reply = Reply(question.number, question.manner)
        try:
            if question.manner == "whole":
                answer = await self._litellm.acompletion(**self._request(question))
                reply.characters = len(answer.choices[0].message.content or "")
            elif question.manner == "thread":
                await asyncio.to_thread(self._read_sync, question, reply)
            else:
                async for chunk in await self._litellm.acompletion(**self._request(question)):
                    count([chunk], reply)
        except Exception as error:
            reply.result, reply.error = "failed", type(error).__name__
            reply.status = getattr(error, "status_code", None)
        return reply

    async def close(self) -> None:
        """Give the connections back."""
        await self._litellm.close_litellm_async_clients()

    def _read_sync(self, question: Question, reply: Reply) -> None:
        count(self._litellm.completion(**self._request(question)), reply)

    def _request(self, question: Question) -> dict[str, Any]:
        return {
            **request(question, self._model),
            "timeout": self._timeout,
            "num_retries": 0,
            "max_retries": 0,
        }


def count(chunks: Iterable[Any], reply: Reply) -> None:
    """Add the text of the chunks to the reply."""
    for chunk in chunks:
        reply.characters += len(chunk.choices[0].delta.content or "")


SERVICES: dict[str, Callable[[str, float], Service]] = {"httpx": HTTPXChatService, "litellm": LiteLLMChatService}
"""What `--client` accepts beside `sdk`."""
