# SPDX-License-Identifier: Apache-2.0
"""Decide what to play: an HTTP request goes in, a `Plan` comes out. Also where attempts are counted.

A request that names no scenario, or a path no API has, gets a plan as well: a 404 that says what is accepted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .catalog import SCENARIOS
from .connection import Incoming
from .mix import LISTED, MIX, Mix, did_you_mean
from .replies import Reply
from .requests import NotThereError, Request, read_request, scenario_path, split_target
from .scenarios import WHOLE, Scenario
from .steps import Answer, Play
from .wires import error_envelope


@dataclass(frozen=True)
class Plan:
    """What to play for one request."""

    scenario: str
    key: str
    attempt: int
    request: Request
    reply: Reply
    play: Play


API = "v1"
"""The first segment of a path of the API. It stands where a scenario should when the base URL names none."""

NO_SCENARIO = "the URL names no scenario; put one before /v1, as in ANTHROPIC_BASE_URL=http://127.0.0.1:8529/completed"


def check_scenario(name: str) -> None:
    """Raise `NotThereError`, with the nearest names and where all are listed, unless there is such a scenario."""
    if name not in SCENARIOS and name != MIX:
        wrong = NO_SCENARIO if name == API else f"unknown scenario {name[:100]!r}{did_you_mean(name)}"
        raise NotThereError(f"{wrong}; {LISTED} all scenarios")


class Planner:
    """Makes the plans of one server, and counts the attempts per scenario and key."""

    def __init__(self, mix: Mix) -> None:
        self._mix = mix
        self._attempts: Counter[tuple[str, str]] = Counter()

    def clear(self) -> None:
        """Forget all attempts and draws."""
        self._attempts.clear()
        self._mix.restart()

    def plan(self, incoming: Incoming, url: str) -> Plan:
        """What to play for this request."""
        name, key, path = split_target(incoming.target)
        try:
            check_scenario(name)
            request = read_request(incoming.method, path, incoming.body, f"{url}{scenario_path(name, key)}{path}")
        except NotThereError as error:
            return _not_found(name, key, Request(incoming.method, path), str(error))
        if request.api == "batch":  # never at fault itself: the SDK asks it where the results are
            reply = SCENARIOS[name].attempt(0).reply if name in SCENARIOS else Reply()
            return Plan(name, key, 0, request, reply, WHOLE)
        scenario, number = self._choose(name, key, incoming)
        if scenario.only and scenario.only not in (request.wire, request.api):
            message = (
                f"scenario {scenario.name!r} is for {scenario.only} only; this is {request.api} over {request.wire}"
            )
            return _not_found(scenario.name, key, request, message)
        attempt = scenario.attempt(number)
        play = attempt.stream if request.streaming else attempt.whole
        return Plan(scenario.name, key, number, request, attempt.reply, play)

    def _choose(self, name: str, key: str, incoming: Incoming) -> tuple[Scenario, int]:
        if name == MIX:
            chosen, attempt = self._mix.choose(incoming.body, incoming.headers)
            return SCENARIOS[chosen], attempt
        attempt = self._attempts[name, key]
        self._attempts[name, key] += 1
        return SCENARIOS[name], attempt


def _not_found(name: str, key: str, request: Request, message: str) -> Plan:
    answer = Answer(404, error_envelope("not_found_error", message), failure="not_found_error")
    return Plan(name[:100], key, 0, request, Reply(), (answer,))
