# SPDX-License-Identifier: Apache-2.0
"""Draw every dashboard in every situation that the tests check, and say what a reader would stumble over.

    python -m tests.drawing [--output FOLDER] [SITUATION...]

Needs what `.ci/install-monitoring` installs, and Chromium. Takes some minutes: the calls of an hour and of a day are
made first. Exit status 1 when there are findings, 2 when something is not installed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .checker import check
from .drawing import build, draw, missing
from .states import BOARDS, SITUATIONS, served


def main(output: Path, names: list[str]) -> int:
    if lacking := missing():
        print(f"cannot draw: {lacking}", file=sys.stderr)
        return 2
    situations = [situation for situation in SITUATIONS if not names or situation.state.name in names]
    found = 0
    with tempfile.TemporaryDirectory() as temporary, served(folder := Path(temporary), situations) as servers:
        build()
        for situation in situations:
            orders = situation.orders(servers[situation.database].url, folder, BOARDS)
            for seen in draw(list(orders), output):
                for finding in check(seen, situation.state):
                    found += 1
                    print(finding)
    print(f"pictures are in {output}; {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(".cache/drawn"), help="a folder (default: .cache/drawn)")
    known = [situation.state.name for situation in SITUATIONS]
    parser.add_argument("situations", nargs="*", metavar="SITUATION", help=f"some of {', '.join(known)}")
    options = parser.parse_args()
    if unknown := set(options.situations) - set(known):
        parser.error(f"no situation {', '.join(sorted(unknown))}; there is {', '.join(known)}")
    sys.exit(main(options.output, options.situations))
