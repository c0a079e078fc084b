# SPDX-License-Identifier: Apache-2.0
"""`python -m after200`: the same as `after200`, where the script is not on PATH."""

import sys

from after200.cli import main

if __name__ == "__main__":
    sys.exit(main())
