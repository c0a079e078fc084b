# SPDX-License-Identifier: Apache-2.0
"""Seeded mixes of scenarios: what share of the calls gets which fault, and the drawing of it.

One draw per call, in the order of arrival: the same seed gives the same sequence. A retry (the SDK says so in
`x-stainless-retry-count`, 0.35 and later) is no new call: it gets the next attempt of the scenario drawn for it.
"""

from __future__ import annotations

import difflib
import hashlib
import random
from collections import OrderedDict
from collections.abc import Mapping

from .catalog import SCENARIOS

MIX = "mix"
"""The name of the pseudo-scenario."""
COMPLETED = "completed"
ALIASES: dict[str, str] = {
    "overloaded": "overloaded_error_mid_stream",
    "api_error": "api_error_mid_stream",
    "rate_limited": "rate_limit_error_mid_stream",
    "truncated": "end_without_message_stop",
    "reset": "reset_mid_stream",
    "cut": "half_chunk",
    "stall": "stall_mid_stream",
    "malformed": "not_json_mid_stream",
    "gateway": "bare_error_mid_stream",
    "json": "body_error_200",
    "spend_limit": "enforced_spend_limit_reached_mid_stream",
    "refusal": "refusal",
    "refused": "refusal_cyber",
    "answer_cut": "max_tokens",
    "answer_empty": "empty",
    "tool_error": "web_search_failed",
    "retry_after": "http_429_retry_after_then_completed",
    "http_429": "http_429_then_completed",
    "http_503": "http_503_then_completed",
    "http_529": "http_529_then_completed",
    "slow": "completed_slow",
}
"""Short names for `--mix`; every scenario's own name is accepted too."""
LISTED = "after200 faults --help lists"
"""Where all scenarios are named: there are some hundreds of them, too many for an error message."""
_REMEMBERED = 10_000


class Mix:
    """Draws a scenario per call. `shares` maps names or aliases to shares of 1; the rest is `completed`."""

    def __init__(self, shares: Mapping[str, float], seed: int = 0) -> None:
        shares = check_shares(shares)
        self._names = [*shares, COMPLETED]
        self._weights = [*shares.values(), max(0.0, 1 - sum(shares.values()))]
        self._seed = seed
        self.restart()

    def restart(self) -> None:
        """Begin the sequence again."""
        self._random = random.Random(self._seed)
        self._drawn: OrderedDict[bytes, tuple[str, int]] = OrderedDict()

    def choose(self, body: bytes, headers: Mapping[str, str]) -> tuple[str, int]:
        """The scenario of this request, and which attempt of its call it is."""
        digest = hashlib.sha256(body).digest()
        retry = headers.get("x-stainless-retry-count", "0") != "0"
        known = self._drawn.pop(digest, None)
        if retry and known:
            chosen, attempt = known[0], known[1] + 1
        else:
            [chosen], attempt = self._random.choices(self._names, self._weights), 0
        self._drawn[digest] = chosen, attempt
        if len(self._drawn) > _REMEMBERED:
            self._drawn.popitem(last=False)
        return chosen, attempt


def did_you_mean(name: str, *, short: bool = False) -> str:
    """Returns ` (did you mean ...?)` with the scenarios whose names, or short names, are the nearest; '' for none.

    With `short`, a short name stands as it is: `--mix` takes it, and a path does not.
    """
    near = difflib.get_close_matches(name, [*ALIASES, *SCENARIOS, *([] if short else [MIX])], n=3)
    known = list(dict.fromkeys(each if short else ALIASES.get(each, each) for each in near))
    return f" (did you mean {' or '.join(known)}?)" if known else ""


def check_shares(shares: Mapping[str, float]) -> dict[str, float]:
    """The shares with aliases resolved; raises `ValueError` that names what is wrong and what is accepted."""
    checked: dict[str, float] = {}
    for name, share in shares.items():
        scenario = ALIASES.get(name, name)
        if scenario not in SCENARIOS:
            raise ValueError(
                f"unknown fault {name!r} in the mix{did_you_mean(name, short=True)}; "
                f"short names: {', '.join(ALIASES)}; or the name of any scenario: {LISTED} them"
            )
        if not 0 <= share <= 1:
            raise ValueError(
                f"the share of {name!r} in the mix is {share:g}; a share lies between 0 and 1 (0% and 100%)"
            )
        checked[scenario] = checked.get(scenario, 0.0) + share
    total = sum(checked.values())
    if total > 1 + 1e-9:
        raise ValueError(f"the shares of the mix add up to {total:.0%}; they may add up to 100% at most")
    return checked


def parse_mix(text: str) -> dict[str, float]:
    """`overloaded=5%,truncated=1%` or `reset=0.02` as shares; raises `ValueError`."""
    shares: dict[str, float] = {}
    for entry in filter(None, (entry.strip() for entry in text.split(","))):
        name, equals, amount = (part.strip() for part in entry.partition("="))
        if not equals or not name or not amount:
            raise ValueError(f"{entry!r} is no part of a mix; write NAME=SHARE, as in overloaded=5%,truncated=0.01")
        if name in shares:
            raise ValueError(f"{name!r} stands in the mix twice")
        shares[name] = _parse_share(name, amount)
    return check_shares(shares)


def _parse_share(name: str, amount: str) -> float:
    try:
        value = float(amount.removesuffix("%"))
    except ValueError:
        raise ValueError(f"the share of {name!r} in the mix is {amount!r}; write 5% or 0.05") from None
    return value / 100 if amount.endswith("%") else value
