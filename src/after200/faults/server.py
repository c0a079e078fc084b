# SPDX-License-Identifier: Apache-2.0
"""The fault server: a real HTTP/1.1 server on a real socket, in a thread of its own, that plays named scenarios.

The scenario is the first segment of the path, so one server plays them all at once, and any client can be pointed
at one by its base URL. It binds 127.0.0.1 by default. Whatever a client does, the worst that comes of it is the
end of its own connection.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from .connection import BadRequestError, ClientLeftError, Connection, Incoming
from .limits import RateLimits
from .log import Condition, Log, Served
from .mix import Mix
from .plans import Plan, Planner, check_scenario
from .player import Player
from .requests import scenario_path
from .wires import encode_json, error_envelope

_logger = logging.getLogger("after200.faults")
_BACKLOG = 4096


class FaultServer:
    """Plays scenarios; a context manager, or `start()` and `stop()`. Safe to use from any thread.

    `mix` maps scenarios to their share of the calls of the pseudo-scenario `mix` (the rest is `completed`), drawn with
    `seed`. `latency` is waited before each answer, `chunk_delay` before each chunk, both in seconds. With `tls_cert`
    and `tls_key` (PEM files) it speaks HTTPS. `log_limit` entries of the log are kept. `rate_limits` maps kinds
    (the keys of `limits.HEADERS`) to limits a minute: answers of the Claude API then say what remains of each limit. No
    request is refused for it.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        mix: Mapping[str, float] | None = None,
        seed: int = 0,
        latency: float = 0.0,
        chunk_delay: float = 0.0,
        tls_cert: str | Path | None = None,
        tls_key: str | Path | None = None,
        log_limit: int = 100_000,
        rate_limits: Mapping[str, int] | None = None,
    ) -> None:
        if latency < 0 or chunk_delay < 0:
            raise ValueError("latency and chunk_delay are seconds, 0 or more")
        self._address = (host, port)
        self._tls = _tls_context(tls_cert, tls_key)
        self._log = Log(log_limit)
        self._planner = Planner(Mix(mix or {}, seed))
        self._rate_limits = RateLimits(rate_limits or {})
        self._latency, self._chunk_delay = latency, chunk_delay
        self._thread: threading.Thread | None = None
        self._end_serving: Callable[[], object]
        self._connections: set[asyncio.Task[Any]] = set()

    def start(self) -> FaultServer:
        """Bind and serve; returns once connections are accepted. Raises `OSError` when the port cannot be had."""
        if self._thread is not None:
            raise RuntimeError("the fault server is running already")
        bound: Future[Callable[[], object]] = Future()
        self._thread = threading.Thread(target=self._run, args=(bound,), name="after200-faults", daemon=True)
        self._thread.start()
        if error := bound.exception():
            self._thread.join()
            self._thread = None
            raise error
        self._end_serving = bound.result()
        return self

    def stop(self) -> None:
        """Close every connection and the socket. Stopping twice does nothing."""
        if self._thread is not None:
            self._end_serving()
            self._thread.join()
            self._thread = None

    def __enter__(self) -> FaultServer:
        return self.start()

    def __exit__(self, *raised: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port that was bound."""
        return self._address[1]

    @property
    def url(self) -> str:
        """The server's own URL."""
        return f"{'https' if self._tls else 'http'}://{self._address[0]}:{self.port}"

    def base_url(self, scenario: str, key: str = "") -> str:
        """What to give the SDK as `base_url` (or `ANTHROPIC_BASE_URL`) to be played this scenario.

        Attempts are counted per scenario and key: with a key of its own, a test has a counter of its own.
        """
        check_scenario(scenario)
        return self.url + scenario_path(scenario, key)

    @property
    def log(self) -> tuple[Served, ...]:
        """What was served so far, in the order in which it ended."""
        return self._log.snapshot()

    def wait_for(self, condition: Condition, timeout: float = 60.0) -> tuple[Served, ...]:
        """Wait until `condition(log)` holds and return the log; raises `TimeoutError`."""
        return self._log.wait_for(condition, timeout)

    def wait_idle(self, timeout: float = 60.0) -> tuple[Served, ...]:
        """Wait until no request is being served and return the log; raises `TimeoutError`."""
        return self._log.wait_idle(timeout)

    def clear(self) -> None:
        """Forget the log, all counts of attempts, the draws of the mix, and what was spent of the rate limits."""
        self._log.clear()
        self._planner.clear()
        self._rate_limits.restart()

    def _run(self, bound: Future[Callable[[], object]]) -> None:
        try:
            asyncio.run(self._serve(bound))
        except BaseException as error:
            _logger.debug("the fault server ended", exc_info=True)
            if not bound.done():
                bound.set_exception(error)

    async def _serve(self, bound: Future[Callable[[], object]]) -> None:
        """Serve until it is ended; `bound` gets the function that ends it, once connections are accepted."""
        loop, ending = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(_log_quietly)
        host, port = self._address
        server = await asyncio.start_server(self._accept, host, port, ssl=self._tls, backlog=_BACKLOG)
        self._address = (host, server.sockets[0].getsockname()[1])
        bound.set_result(lambda: loop.call_soon_threadsafe(ending.set))
        await ending.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        connection = Connection(reader, writer)
        try:
            await self._serve_connection(connection)
        except asyncio.CancelledError:  # the server is being stopped: no goodbyes
            writer.transport.abort()
        except Exception:
            _logger.exception("a fault of the fault server's own")
        finally:
            self._connections.discard(task)
            await connection.close()

    async def _serve_connection(self, connection: Connection) -> None:
        """Serve one request after the other, until the client or the scenario ends the connection."""
        while connection.reusable:
            try:
                incoming = await connection.next_request()
            except BadRequestError as bad:
                await _refuse(connection, bad)
                return
            except OSError:
                return
            if incoming is None:
                return
            await self._serve_request(connection, incoming)

    async def _serve_request(self, connection: Connection, incoming: Incoming) -> None:
        self._log.opened()
        watcher = asyncio.create_task(connection.watch_client())
        try:
            await self._play(connection, incoming, self._planner.plan(incoming, self.url))
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
            self._log.closed()

    async def _play(self, connection: Connection, incoming: Incoming, plan: Plan) -> None:
        player = Player(connection, incoming, plan, self._log, self._chunk_delay)
        self._rate_limits.count_request()
        if plan.request.wire == "anthropic":
            player.headers |= self._rate_limits.headers()
        try:
            if self._latency:
                await connection.pause(self._latency)
            await player.play()
        except ClientLeftError:
            connection.reusable = False
            player.record("stalled" if player.stalling else "client_left")
        except asyncio.CancelledError:
            player.record("stopped")
            raise
        finally:
            self._rate_limits.count_tokens(player.content.truth())


async def _refuse(connection: Connection, bad: BadRequestError) -> None:
    """Answer what is no request to be served, and hang up."""
    error_type = "request_too_large" if bad.status == 413 else "invalid_request_error"
    body = encode_json(error_envelope(error_type, str(bad)))
    head = connection.head(bad.status, {"content-type": "application/json"}, len(body), incoming=None)
    with suppress(ClientLeftError):
        await connection.write(head + body)


def _tls_context(cert: str | Path | None, key: str | Path | None) -> ssl.SSLContext | None:
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise ValueError("TLS needs both tls_cert and tls_key, each the path of a PEM file")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def _log_quietly(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What goes wrong below the connections (a TLS handshake cut short, say) is the client's doing."""
    _logger.debug("%s", context.get("message"), exc_info=context.get("exception"))
