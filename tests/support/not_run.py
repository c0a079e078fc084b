# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin of `make test`: the last line says how many tests were not run because a program is missing.

A test that needs a program skips itself with the reason "NAME is not installed: HOW", where HOW says how to install it.
The line counts these tests by HOW and names the programs. No such test, no line.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Generator, Iterable
from typing import Any

import pytest

SERVERS = "run `make servers`"
"""How to install what .ci/install-monitoring installs."""

INSTALLERS = ("apt-get", "go", "npm")
"""What `make servers` calls."""

_REASON = re.compile(r"(?:Skipped: )?(?P<name>\S+) is not installed: (?P<how>.+)")


@pytest.hookimpl(wrapper=True, tryfirst=True)  # Outside of pytest's own, which prints the summary.
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Prints the line after pytest's summary; a worker process of pytest-xdist prints nothing."""
    result = yield
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(session.config, "workerinput"):
        skipped = [report for report in reporter.stats.get("skipped", ()) if isinstance(report.longrepr, tuple)]
        lacking = [installer for installer in INSTALLERS if shutil.which(installer) is None]
        for line in not_run((report.longrepr[2] for report in skipped), lacking):
            reporter.write_line(line)
    return result


def not_run(reasons: Iterable[str], lacking: Iterable[str] = ()) -> list[str]:
    """The line, or nothing. `reasons`: of the skipped tests; `lacking`: the `INSTALLERS` that are not on PATH."""
    tests: dict[str, int] = defaultdict(int)
    programs: dict[str, set[str]] = defaultdict(set)
    for reason in reasons:
        if found := _REASON.fullmatch(reason):
            tests[found["how"]] += 1
            programs[found["how"]].add(found["name"])
    if not tests:
        return []
    parts = []
    for how in sorted(tests, key=lambda how: how == SERVERS):  # `make servers` comes last.
        needed = f"{tests[how]} for lack of {', '.join(sorted(programs[how]))}"
        missing = f" (it needs {', '.join(lacking)}, not found on PATH)" if how == SERVERS and lacking else ""
        parts.append(f"{needed}: {how}{missing}")
    return [f"Tests not run: {'; '.join(parts)}"]
