# SPDX-License-Identifier: Apache-2.0
"""Ask pip-audit whether what is installed in an environment has known vulnerabilities: `audit.py SITE_PACKAGES`.

Exit status 1 when it has. Where the database cannot be reached nothing is known: that is said, and is no failure.
"""

from __future__ import annotations

import json
import subprocess
import sys

ALLOWED: dict[str, str] = {}
"""Vulnerabilities that do not concern us, by id, each with the reason."""


def main(site_packages: str) -> int:
    command = [sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off", "--path", site_packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        print("not audited: the database of vulnerabilities cannot be reached\n" + done.stderr.strip()[-300:])
        return 0
    dependencies = json.loads(done.stdout)["dependencies"]
    audited = [dependency for dependency in dependencies if "vulns" in dependency]
    found = [
        f"{dependency['name']} {dependency['version']}: {vulnerability['id']}, mended in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version'}"
        for dependency in audited
        for vulnerability in dependency["vulns"]
        if vulnerability["id"] not in ALLOWED
    ]
    if found:
        print("\n".join(found))
    if not audited:
        print(f"not audited: the database knows none of {len(dependencies)} packages, or cannot be reached")
    else:
        print(f"{len(audited)} of {len(dependencies)} packages audited, {len(found)} known vulnerabilities")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
