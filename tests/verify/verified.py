# SPDX-License-Identifier: Apache-2.0
"""What one call of `after200 verify` saw and found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from after200.cli.verify.diagnoses import Finding
from after200.cli.verify.report import as_json
from after200.cli.verify.seen import Seen


class Verified(NamedTuple):
    """What was seen, and what was found."""

    seen: Seen
    findings: list[Finding]

    @property
    def wrong(self) -> list[str]:
        """The codes of what is wrong."""
        return [finding.code for finding in self.findings if finding.wrong]

    @property
    def notes(self) -> list[str]:
        """The codes of what is worth knowing."""
        return [finding.code for finding in self.findings if not finding.wrong]

    def said(self, code: str) -> str:
        """What is said about a code, and what to look at next."""
        return " ".join(f"{finding.what} {finding.next}" for finding in self.findings if finding.code == code)

    @property
    def result(self) -> dict[str, Any]:
        """The result as JSON has it."""
        return as_json(self.seen, self.findings)


Verify = Callable[..., Verified]
