# SPDX-License-Identifier: Apache-2.0
"""The calls of a check through each HTTP library: which are instrumented, and how a call goes through one."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from after200.hooks.http.libraries import LIBRARIES
from after200.http_instrumentors import INSTRUMENTORS, is_installed

HEADERS: Final = {"anthropic-version": "2023-06-01", "content-type": "application/json"}

Send = Callable[[Any, str, bytes], None]
"""Takes the module of a package, a URL and the body of a request, and reads the answer to its end."""


def instrumented() -> list[str]:
    """Returns the packages that are installed, of the HTTP libraries that after200 has instrumented."""
    return [
        package.name
        for library, packages in LIBRARIES.items()
        if INSTRUMENTORS[library]().is_instrumented_by_opentelemetry
        for package in packages
        if is_installed(package.name)
    ]


def make_call(package: str, base_url: str, model: str) -> str:
    """Makes one streamed call and reads it to its end; returns what the application received."""
    question = {"role": "user", "content": "Is it recorded?"}
    body = json.dumps({"model": model, "max_tokens": 16, "messages": [question], "stream": True}).encode()
    try:
        SENDS[package](importlib.import_module(package), f"{base_url}/v1/messages", body)
    except Exception as error:
        return type(error).__name__
    return "a body, read to its end"


# A proxy is for what leaves the machine: none is asked here.


def _httpx(package: Any, url: str, body: bytes) -> None:
    with (
        package.Client(trust_env=False, verify=False) as client,
        client.stream("POST", url, content=body, headers=HEADERS) as response,
    ):
        _read(response.iter_lines())


def _aiohttp(package: Any, url: str, body: bytes) -> None:
    async def send() -> None:
        async with package.ClientSession() as session, session.post(url, data=body, headers=HEADERS) as response:
            async for _ in response.content:
                pass

    asyncio.run(send())


def _requests(package: Any, url: str, body: bytes) -> None:
    with package.Session() as session:
        session.trust_env = False
        with session.post(url, data=body, headers=HEADERS, stream=True) as response:
            _read(response.iter_lines())


def _botocore(package: Any, url: str, body: bytes) -> None:
    request = importlib.import_module("botocore.awsrequest").AWSRequest(
        method="POST", url=url, data=body, headers=HEADERS, stream_output=True
    )
    session = importlib.import_module("botocore.httpsession").URLLib3Session()
    _read(session.send(request.prepare()).raw.stream())


def _read(pieces: Iterator[Any]) -> None:
    for _ in pieces:
        pass


SENDS: Final[dict[str, Send]] = {
    "httpx": _httpx,
    "httpx2": _httpx,
    "aiohttp": _aiohttp,
    "requests": _requests,
    "botocore": _botocore,
}
"""A package → how a call goes through it."""
