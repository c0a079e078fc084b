# SPDX-License-Identifier: Apache-2.0
"""An application that calls the SDK on a fault server, sync or async."""

from __future__ import annotations

import asyncio
import gc
import itertools
from typing import Any

import anthropic

from after200.faults import FaultServer

from .seen import Seen
from .surfaces import Surface


class Application:
    """An application that calls the SDK, sync or async, in a loop of its own."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.loop = asyncio.new_event_loop()
        self.sync_client = anthropic.Anthropic(api_key="none", base_url=server.url, max_retries=0)
        self.async_client = anthropic.AsyncAnthropic(api_key="none", base_url=server.url, max_retries=0)
        self._keys = itertools.count()

    def client(self, scenario: str, **options: Any) -> anthropic.Anthropic:
        """A sync client that is played `scenario`, with a count of attempts of its own."""
        return self.sync_client.copy(base_url=self._url(scenario), **options)

    def aclient(self, scenario: str, **options: Any) -> anthropic.AsyncAnthropic:
        """Its async twin."""
        client = self.async_client.copy(base_url=self._url(scenario), **options)
        if hasattr(client, "_platform"):
            # Each new client would find out the platform, in a thread of its own.
            client._platform = self.async_client._platform
        return client

    def _url(self, scenario: str) -> str:
        return self.server.base_url(scenario, str(next(self._keys)))

    def run(self, coroutine: Any) -> Any:
        """Runs `coroutine` in the application's loop."""
        return self.loop.run_until_complete(coroutine)

    def play(
        self,
        scenario: str,
        surface: Surface,
        mode: str,
        *,
        max_retries: int = 0,
        client: dict[str, Any] | None = None,
        **options: Any,
    ) -> Seen:
        """Plays `scenario` on `surface` and returns all that there was to see. Nothing is being served afterwards.

        `client` has more options of the client, `options` are those of the call.
        """
        seen = Seen()
        of_client = {"max_retries": max_retries, **(client or {})}
        try:
            if mode == "sync":
                surface.read(self.client(scenario, **of_client), seen, **options)
            else:
                self.run(surface.aread(self.aclient(scenario, **of_client), seen, **options))
        except Exception as exception:
            seen.exception = exception
        self.server.wait_idle()
        return seen

    def collect(self) -> None:
        """Collects the garbage, and lets the loop close the async generators in it."""
        gc.collect()

        async def turns() -> None:
            for _ in range(10):
                await asyncio.sleep(0)

        self.run(turns())
        gc.collect()

    def close(self) -> None:
        self.sync_client.close()
        self.run(self.async_client.close())
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()
