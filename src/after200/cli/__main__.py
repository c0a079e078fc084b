# SPDX-License-Identifier: Apache-2.0
"""`python -m after200.cli`: the same as `after200`, where the script is not on PATH."""

import sys

from after200.cli import main

sys.exit(main())
