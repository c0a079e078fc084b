# SPDX-License-Identifier: Apache-2.0
"""What one run of `after200 verify` found, in the words of the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from after200.cli.verify.findings import Code

CODES = {code.name.lower() for code in Code}
ALL_BATCHES = r"(\d+) of \1 batches accepted"
"""What is said of an exporter whose every batch was accepted, as a regular expression."""


class Verified(NamedTuple):
    """What `after200 verify --json` printed."""

    result: dict[str, Any]

    @property
    def wrong(self) -> list[str]:
        """The codes of what is wrong, each once."""
        return list(dict.fromkeys(finding["code"] for finding in self.result["findings"] if finding["wrong"]))

    @property
    def notes(self) -> list[str]:
        """The codes of what is worth knowing, each once."""
        return list(dict.fromkeys(finding["code"] for finding in self.result["findings"] if not finding["wrong"]))

    def said(self, code: str) -> str:
        """What is said about a code, and what to look at next."""
        findings = [finding for finding in self.result["findings"] if finding["code"] == code]
        return " ".join(f"{finding['what']} {finding['next']}" for finding in findings)

    @property
    def recorded(self) -> dict[str, list[bool]]:
        """Whether each call was recorded as it must be, by the place where that was looked for."""
        calls = self.result["calls"]
        return {place: [call["recorded"][place] for call in calls] for place in (calls[0]["recorded"] if calls else ())}


Verify = Callable[..., Verified]
