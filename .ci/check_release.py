# SPDX-License-Identifier: Apache-2.0
"""Checks that a release can be cut: the tag, the version of the package and the changelog agree.

    python .ci/check_release.py v1.2.3

Prints what does not agree and ends with exit status 1; with status 0 when nothing is wrong.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def problems(tag: str, version: str, changelog: str) -> list[str]:
    """What keeps `tag` from being released, given the version of the package and the text of the changelog."""
    found = []
    if not re.fullmatch(r"v\d+\.\d+\.\d+((a|b|rc)\d+)?", tag):
        found.append(f"the tag {tag!r} is not a version: v1.2.3, or v1.2.3rc1")
    elif tag != f"v{version}":
        found.append(f"the tag is {tag}, but src/after200/_version.py says {version}")
    section = re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if section is None:
        found.append(f"CHANGELOG.md has no section '## [{version}] - YYYY-MM-DD'")
    elif not re.search(r"^- ", section[1], re.M):
        found.append(f"the section of {version} in CHANGELOG.md names no change")
    unreleased = re.search(r"^## \[Unreleased\]$(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if unreleased is not None and re.search(r"^- ", unreleased[1], re.M):
        found.append("CHANGELOG.md has changes under [Unreleased]: move them to the section of the release")
    return found


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    if len(arguments) != 1:
        print("usage: python .ci/check_release.py TAG", file=sys.stderr)
        return 2
    [version] = re.findall(r'__version__ = "(.+)"', (ROOT / "src" / "after200" / "_version.py").read_text("utf-8"))
    found = problems(arguments[0], version, (ROOT / "CHANGELOG.md").read_text("utf-8"))
    print("\n".join(found) if found else f"{arguments[0]} can be released")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
