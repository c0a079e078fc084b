# SPDX-License-Identifier: Apache-2.0
"""What was seen → what is wrong and what to look at next. Pure: nothing here touches a process or a socket.

The groups are asked in the order in which a call meets them, and what follows from an earlier fault is not told again:
where nothing is exported, nobody needs to hear that Prometheus has nothing.
"""

from __future__ import annotations

from after200.cli.verify.diagnoses import backend, export, installation, recording, settings
from after200.cli.verify.diagnoses.findings import Finding
from after200.cli.verify.seen import Seen

STAGES = (
    installation.DIAGNOSES,
    settings.DIAGNOSES,
    settings.FALLBACK,
    export.DIAGNOSES,
    recording.DIAGNOSES,
    backend.DIAGNOSES,
)


def diagnose(seen: Seen) -> list[Finding]:
    """The findings, the wrong ones first. No later stage is asked for faults once one has found some."""
    found: list[Finding] = []
    for stage in STAGES:
        broken = any(finding.wrong for finding in found)
        for diagnosis in stage:
            found += [finding for finding in diagnosis(seen) if not (broken and finding.wrong)]
    return sorted(found, key=lambda finding: not finding.wrong)


__all__ = ["Finding", "diagnose"]
