# SPDX-License-Identifier: Apache-2.0
"""What marks the calls of `after200 verify`, which fail on purpose and are no service's own."""

from __future__ import annotations

from typing import Final

VERIFY_MODEL: Final = "after200-verify-"
"""How the name of a model begins that only `after200 verify` calls."""

VERIFY_SERVICE: Final = "-after200-verify"
"""How the name of the service ends."""
