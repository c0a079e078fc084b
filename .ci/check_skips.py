# SPDX-License-Identifier: Apache-2.0
"""Fail when a test was skipped, or expected to fail, without an entry in the list of reasons that CI accepts.

    python .ci/check_skips.py report.xml allowed_skips.txt

In come pytest's JUnit report and a file with one regular expression per line, searched in "test: reason". CI installs
what the tests need, so a missing program is never a reason.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path


def skipped(report: Path) -> Iterator[str]:
    """What the report says of each skipped test: "module::test: reason"."""
    for case in ElementTree.parse(report).iter("testcase"):
        for skip in case.iter("skipped"):
            yield f"{case.get('classname')}::{case.get('name')}: {skip.get('message')}"


def main(report: str, allowed: str) -> int:
    """Print what should not have been skipped; 1 when there is any, or no report."""
    lines = (line.strip() for line in Path(allowed).read_text(encoding="utf-8").splitlines())
    patterns = [re.compile(line) for line in lines if line and not line.startswith("#")]
    if not Path(report).exists():
        print(f"{report} is missing: pytest was ended before it could write which tests were skipped")
        return 1
    found = list(skipped(Path(report)))
    wrong = [skip for skip in found if not any(pattern.search(skip) for pattern in patterns)]
    print(f"{len(found)} skipped, {len(found) - len(wrong)} of them for an accepted reason")
    for skip in wrong:
        print(f"skipped without an accepted reason: {skip}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
