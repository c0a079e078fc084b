# SPDX-License-Identifier: Apache-2.0
"""The fault server: a real HTTP/1.1 server on a real socket, in a thread of its own, that plays named scenarios.

The scenario is the first segment of the path, so one server plays them all at once, and any client can be pointed
at one by its base URL. It binds 127.0.0.1 unless told otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .connection import Connection
from .limits import RateLimits
from .log import Condition, Log, Served
from .mix import Mix
from .plans import Planner, check_scenario
from .requests import scenario_path
from .service import Service

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
        self._service = Service(self._log, self._planner, self._rate_limits, latency, chunk_delay)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._connections: set[asyncio.Task[Any]] = set()

    def start(self) -> FaultServer:
        """Bind and serve; returns once connections are accepted. Raises `OSError` when the port cannot be had."""
        if self._thread is not None:
            raise RuntimeError("the fault server is running already")
        self._started.clear()
        self._error = None
        self._thread = threading.Thread(target=self._run, name="after200-faults", daemon=True)
        self._thread.start()
        self._started.wait()
        self._raise_error()
        return self

    def _raise_error(self) -> None:
        if self._error is not None and self._thread is not None:
            self._thread.join()
            self._thread = None
            raise self._error

    def stop(self) -> None:
        """Close every connection and the socket. Stopping twice does nothing."""
        if self._thread is None:
            return
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> FaultServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
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

    def wait_for(self, condition: Condition, timeout: float = 5.0) -> tuple[Served, ...]:
        """Wait until `condition(log)` holds and return the log; raises `TimeoutError`."""
        return self._log.wait_for(condition, timeout)

    def wait_idle(self, timeout: float = 5.0) -> tuple[Served, ...]:
        """Wait until no request is being served and return the log; raises `TimeoutError`."""
        return self._log.wait_idle(timeout)

    def clear(self) -> None:
        """Forget the log, all counts of attempts, the draws of the mix, and what was spent of the rate limits."""
        self._log.clear()
        self._planner.clear()
        self._rate_limits.restart()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
            _logger.debug("the fault server ended", exc_info=True)
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_log_quietly)
        self._stopping = asyncio.Event()
        host, port = self._address
        server = await asyncio.start_server(self._accept, host, port, ssl=self._tls, backlog=_BACKLOG)
        self._address = (host, server.sockets[0].getsockname()[1])
        self._started.set()
        await self._stopping.wait()
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
            await self._service.serve(connection, self.url)
        except asyncio.CancelledError:  # the server is being stopped: no goodbyes
            writer.transport.abort()
        except Exception:
            _logger.exception("a fault of the fault server's own")
        finally:
            self._connections.discard(task)
            await connection.close()


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
