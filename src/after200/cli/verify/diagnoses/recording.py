# SPDX-License-Identifier: Apache-2.0
"""What was recorded is not what happened, and nothing before says why."""

from __future__ import annotations

from collections.abc import Iterator

from after200.cli.verify.diagnoses.findings import Finding, note
from after200.cli.verify.seen import EXPECTED, Seen
from after200.settings import PREFIX


def differs(seen: Seen) -> Iterator[Finding]:
    """Signal by signal, the endings that are missing or too many."""
    if not seen.saw:
        return
    for signal in seen.required:
        recorded = seen.recorded(signal)
        if recorded == EXPECTED or (signal == "traces" and _spans_may_be_missing(seen)):
            continue
        missing = [str(ending) for ending in EXPECTED - recorded]
        extra = [str(ending) for ending in recorded - EXPECTED]
        parts = [
            f"missing: {'; '.join(missing)}" if missing else "",
            f"not expected: {'; '.join(extra)}" if extra else "",
        ]
        yield Finding(
            f"{signal}_differ",
            f"The {signal} that were exported are not what happened. {'. '.join(filter(None, parts))}.",
            "Does a processor, a view or a filter of the service drop some? If not, this is a fault of after200: "
            "report it with the output of after200 verify --json.",
        )


def _spans_may_be_missing(seen: Seen) -> bool:
    return "traceidratio" in seen.environment.get("OTEL_TRACES_SAMPLER", "") or _spans_mode(seen) == "none"


def _spans_mode(seen: Seen) -> str:
    return seen.environment.get(f"{PREFIX}SPANS", "").strip().lower()


def spans_off(seen: Seen) -> Iterator[Finding]:
    """A choice, not a fault."""
    if _spans_mode(seen) == "none":
        yield note("spans_off", f"{PREFIX}SPANS=none: after200 makes no spans.", "Nothing to do, if it is meant so.")


DIAGNOSES = (differs, spans_off)
