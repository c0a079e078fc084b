# SPDX-License-Identifier: Apache-2.0
"""Every scenario there is, by name, in the order in which `--help` shows them. One file per family."""

from __future__ import annotations

from ..scenarios import Scenario
from . import bedrock, error_events, healthy, http_errors, long_lived, transport, whole_bodies, without_stop

_FAMILIES = (healthy, error_events, http_errors, whole_bodies, transport, without_stop, bedrock, long_lived)
SCENARIOS: dict[str, Scenario] = {entry.name: entry for family in _FAMILIES for entry in family.SCENARIOS}
