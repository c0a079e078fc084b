# SPDX-License-Identifier: Apache-2.0
"""What an entry of the baggage may be called that becomes an attribute (`metric_baggage`)."""

from __future__ import annotations

from typing import Final

ENTRY: Final = "[A-Za-z][A-Za-z0-9_.-]{0,63}"
"""A regular expression, for the whole name."""
