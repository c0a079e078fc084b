# SPDX-License-Identifier: Apache-2.0
"""Symptoms: what a model's calls suffer, how much of it cannot be luck, and when it is over.

A policy comes in, recording rules go out.

Chance brings failures together: at a steady 1 %, three of 50 calls fail in many a minute. Of `f` failures, chance alone
explains some `evidence * sqrt(f)`, so `f - evidence * sqrt(f)` is what is left when luck is taken out: the lower bound
of a Poisson count. A page needs this to be above the critical share of the calls. Few failures prove nothing, and the
more calls there are, the smaller the excess that counts; no minimum has to be set.

Everything is recorded for all symptoms at once, distinguished by the label `symptom`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from after200 import names
from after200.monitoring import policy as p
from after200.monitoring.promql import Matcher, braces, count_by, labelled, matches, max_by, one_of, sum_by
from after200.monitoring.sums import ALIVE, CALLS, rule
from after200.monitoring.windows import duration_of, seconds
from after200.names import Failure

SYMPTOM: Final = "symptom"
"""The label of what is recorded here: the name of a row of `SYMPTOMS`."""
OF_SYMPTOM: Final = (*p.LEVEL, SYMPTOM)
FAILED_MATCHERS: Final = (one_of(names.OUTCOME, p.ERRORS),)
HIDDEN_MATCHERS: Final = (*FAILED_MATCHERS, matches(names.WIRE_STATUS, p.BELOW_400))
JUDGED_MATCHERS: Final = (one_of(names.OUTCOME, p.JUDGED),)

JUDGED: Final = "model:after200_calls_judged"
BY_FAILURE: Final = "model_failure:after200_calls"
BY_SYMPTOM: Final = "model_symptom:after200_calls"
EVIDENT: Final = f"{BY_SYMPTOM}:evident"
"""The share of the calls that fail beyond what luck explains, in the window that shows most."""
PAGE: Final = f"{BY_SYMPTOM}:page"
"""The same, where it is above the critical share and not over."""
FALLEN: Final = "model:after200_calls_fallen:count"
DOWN: Final = "model:after200_calls_down:count"
"""Failures in three windows, while no call completes and there is too little traffic for a share."""


@dataclass(frozen=True)
class Symptom:
    """One thing that calls suffer. `name` is the value of the label, and the start of the names of its settings."""

    name: str
    failures: tuple[Failure, ...] = ()
    """The failures that it stands for; each failure of the contract has one symptom. Empty: see `matchers`."""
    matchers: tuple[Matcher, ...] = ()
    """Which calls it counts, whatever their failure."""

    def critical(self, policy: p.Policy) -> float:
        """The share from which it pages."""
        value: float = getattr(policy, f"{self.name}_critical")
        return value

    def warning(self, policy: p.Policy) -> float:
        """The share from which it warns."""
        value: float = getattr(policy, f"{self.name}_warning")
        return value

    @property
    def selector(self) -> str:
        """The matcher of its recorded series."""
        return f'{{{SYMPTOM}="{self.name}"}}'


KINDS: Final = (
    Symptom("overloaded", ("overloaded",)),
    Symptom("rate_limited", ("rate_limited",)),
    Symptom("truncated", ("truncated",)),
    Symptom("server_errors", ("server_error", "timeout", "connection", "malformed", "other")),
    Symptom("rejected", ("denied", "invalid_request")),
)
"""Symptoms that no call has two of. `billing` is none of them: its first call pages."""
WIDER: Final = (Symptom("hidden", matchers=HIDDEN_MATCHERS), Symptom("down", matchers=FAILED_MATCHERS))
"""Symptoms of calls that have another one too."""
SYMPTOMS: Final = {symptom.name: symptom for symptom in (*KINDS, *WIDER)}


def symptom_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """How many calls suffer what in each window, which share cannot be luck, and what pages."""
    slow = policy.window
    return [
        fallen_rule(policy),
        *(rule(f"{JUDGED}:increase{w}", calls(w, *JUDGED_MATCHERS)) for w in policy.windows),
        *(rule(f"{BY_SYMPTOM}:increase{w}", counted(w)) for w in policy.windows),
        *(rule(f"{BY_SYMPTOM}:ratio{w}", share_in(policy, w)) for w in (policy.fast_window, slow)),
        rule(EVIDENT, evident(policy)),
        rule(PAGE, page(policy)),
    ]


def calls(window: str, *matchers: Matcher) -> str:
    """The calls of each model in a window, as recorded."""
    return sum_by(p.LEVEL, CALLS.increase(window) + braces(matchers))


def by_failure(window: str, *matchers: Matcher) -> str:
    """The calls of each model that failed in a window, by failure."""
    return sum_by((*p.LEVEL, names.FAILURE), CALLS.increase(window) + braces([*FAILED_MATCHERS, *matchers]))


def counted(window: str) -> str:
    """The calls with each symptom in a window."""
    kinds = by_failure(window, one_of(names.FAILURE, (failure for kind in KINDS for failure in kind.failures)))
    for kind in KINDS:
        kinds = labelled(kinds, SYMPTOM, kind.name, names.FAILURE, "|".join(kind.failures))
    wider = (labelled(calls(window, *symptom.matchers), SYMPTOM, symptom.name) for symptom in WIDER)
    return " or ".join((sum_by(OF_SYMPTOM, kinds), *wider))


def share_in(policy: p.Policy, window: str) -> str:
    """The share of the calls with each symptom; 0 in the fast window where only the slow one has such calls."""
    part = f"{BY_SYMPTOM}:increase{window}"
    if window != policy.window:
        part = f"({part} or 0 * {BY_SYMPTOM}:increase{policy.window})"
    return f"{part} / {p.ON_LEVEL} group_left () ({JUDGED}:increase{window} > 0)"


def fallen_rule(policy: p.Policy) -> dict[str, Any]:
    """The models of which processes went a short time ago: their sums are lower than before, and hide a rise."""
    back = duration_of(seconds(ALIVE) + seconds(policy.middle_window))
    return rule(FALLEN + policy.middle_window, count_by(p.LEVEL, f"{CALLS.sum} < max_over_time({CALLS.sum}[{back}])"))


def evident(policy: p.Policy) -> str:
    """The share that cannot be luck, in the window that shows most.

    The two short windows are made of sums over processes, and see nothing while these have fallen. The long window
    looks back for minutes, so it counts only where failures still come, unless the others cannot see that.
    """
    fallen = f"{p.ON_LEVEL} {FALLEN}{policy.middle_window}"
    recent = f"{BY_SYMPTOM}:increase{policy.middle_window} >= 2 or {BY_SYMPTOM}:increase{policy.window} and {fallen}"

    def bound(window: str) -> str:
        failures, all_calls = f"{BY_SYMPTOM}:increase{window}", f"{JUDGED}:increase{window}"
        sure = f"({failures} - {policy.evidence:g} * sqrt({failures}))"
        return f"{sure} / {p.ON_LEVEL} group_left () ({all_calls} > 0)"

    *short, long = policy.windows
    bounds = [(window, f"{bound(window)} unless {fallen}") for window in short] + [
        (long, f"{bound(long)} and ({recent})")
    ]
    return max_by(OF_SYMPTOM, " or ".join(labelled(expr, "window", window) for window, expr in bounds)) + " > 0"


def page(policy: p.Policy) -> str:
    """What pages: evidence above the critical share, unless the fast window has calls enough to show the end."""
    by_share: dict[float, list[str]] = {}
    for symptom in SYMPTOMS.values():
        by_share.setdefault(symptom.critical(policy), []).append(symptom.name)
    enough = f"{p.ON_LEVEL} {JUDGED}:increase{policy.fast_window} >= {policy.end_calls}"
    blind = f"unless {p.ON_LEVEL} {FALLEN}{policy.middle_window}"
    conditions = []
    for critical, symptoms in by_share.items():
        of = braces([one_of(SYMPTOM, symptoms)])
        over = f"({BY_SYMPTOM}:ratio{policy.fast_window}{of} <= {critical:g} and {enough} {blind})"
        conditions.append(f"({EVIDENT}{of} > {critical:g} unless {over})")
    return " or ".join(conditions)


def down_rules(policy: p.Policy) -> list[dict[str, Any]]:
    """Failures by their name; and nothing but failures, where calls are too rare for a share.

    The condition begins with `down_failures` failures in two windows, or in three, without any call that completes in
    the same time: failures before the last success prove nothing. It goes on with fewer: the rule reads what it
    recorded at the evaluation before. It ends with the first call that completes.
    """
    w = policy.window
    failed = f"{BY_SYMPTOM}:increase{w}{SYMPTOMS['down'].selector}"
    ago = [duration_of(seconds(w) * n) for n in range(3)]

    def over(windows: int) -> str:
        terms = [failed, *(labelled(f"{failed} offset {ago[n]}", "ago", ago[n]) for n in range(1, windows))]
        return sum_by(p.LEVEL, " or ".join(terms))

    selector = CALLS.increase(w) + braces([one_of(names.OUTCOME, ("completed",))])
    completed, one_before, two_before = (
        f"{sum_by(p.LEVEL, selector + offset)} > 0" for offset in ("", f" offset {ago[1]}", f" offset {ago[2]}")
    )
    begins = f"{over(2)} >= {policy.down_failures} or ({over(3)} >= {policy.down_failures} unless {two_before})"
    goes_on = f"{over(2)} >= 1 and {DOWN}"
    return [
        rule(f"{BY_FAILURE}:increase{w}", by_failure(w)),
        rule(DOWN, f"({begins} or ({goes_on})) unless ({completed} or {one_before})"),
    ]
