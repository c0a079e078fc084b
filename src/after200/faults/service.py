# SPDX-License-Identifier: Apache-2.0
"""Serve the requests of a connection: get the plan, play it, log what happened.

Whatever a client does, the worst that comes of it is the end of its own connection.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from .connection import BadRequestError, ClientLeftError, Connection, Incoming
from .limits import RateLimits
from .log import Log, Served
from .plans import Plan, Planner
from .player import Player
from .wires import encode_json, error_envelope


class Service:
    """Serves connections, on each one request after the other."""

    def __init__(self, log: Log, planner: Planner, rate_limits: RateLimits, latency: float, chunk_delay: float) -> None:
        self._log = log
        self._planner = planner
        self._rate_limits = rate_limits
        self._latency = latency
        self._chunk_delay = chunk_delay

    async def serve(self, connection: Connection, url: str) -> None:
        """Serve until the client or the scenario ends the connection."""
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
            await self._serve_request(connection, incoming, url)

    async def _serve_request(self, connection: Connection, incoming: Incoming, url: str) -> None:
        self._log.opened()
        watcher = asyncio.create_task(connection.watch_client())
        try:
            await self._play(connection, incoming, self._planner.plan(incoming, url))
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
            self._log.closed()

    async def _play(self, connection: Connection, incoming: Incoming, plan: Plan) -> None:
        entry = _Entry(self._log, plan)
        player = Player(connection, incoming, plan.request, plan.reply, entry.record, self._chunk_delay)
        entry.player = player
        self._rate_limits.count_request()
        if plan.request.wire == "anthropic":
            player.headers |= self._rate_limits.headers()
        try:
            if self._latency:
                await connection.pause(self._latency)
            await player.play(plan.play)
        except ClientLeftError:
            connection.reusable = False
            entry.record("stalled" if player.stalling else "client_left")
        except asyncio.CancelledError:
            entry.record("stopped")
            raise
        finally:
            self._rate_limits.count_tokens(player.told.truth())


class _Entry:
    """The log entry of one request: written once, by whoever knows first how it ended."""

    player: Player

    def __init__(self, log: Log, plan: Plan) -> None:
        self._log = log
        self._plan = plan
        self._started = time.time()
        self._written = False

    def record(self, finished: str) -> None:
        if self._written:
            return
        self._written = True
        plan, request, player = self._plan, self._plan.request, self.player
        served = Served(
            scenario=plan.scenario,
            key=plan.key,
            method=request.method,
            path=request.path,
            wire=request.wire,
            api=request.api,
            model=request.model,
            request_id=request.request_id,
            streaming=request.streaming,
            attempt=plan.attempt,
            wire_status=player.wire_status,
            events_sent=tuple(player.events_sent),
            finished=finished,
            failure=player.failure,
            started=self._started,
            ended=time.time(),
            told=player.told.truth(),
            headers=player.headers if player.wire_status else {},
        )
        self._log.add(served)


async def _refuse(connection: Connection, bad: BadRequestError) -> None:
    """Answer what is no request to be served, and hang up."""
    error_type = "request_too_large" if bad.status == 413 else "invalid_request_error"
    body = encode_json(error_envelope(error_type, str(bad)))
    head = connection.head(bad.status, {"content-type": "application/json"}, len(body), incoming=None)
    with suppress(ClientLeftError):
        await connection.write(head + body)
