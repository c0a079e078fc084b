# SPDX-License-Identifier: Apache-2.0
"""Every scenario there is, by name and by family, in the order in which `--help` shows them. One file per family."""

from __future__ import annotations

from ..scenarios import Scenario
from . import (
    answers,
    bedrock,
    encodings,
    error_codes,
    error_events,
    gateways,
    healthy,
    http_errors,
    long_lived,
    rate_limits,
    server_tools,
    transport,
    usage,
    whole_bodies,
    without_stop,
)

FAMILIES: dict[str, tuple[Scenario, ...]] = {
    family.TITLE: family.SCENARIOS
    for family in (
        healthy,
        answers,
        server_tools,
        usage,
        rate_limits,
        error_events,
        error_codes,
        http_errors,
        gateways,
        whole_bodies,
        encodings,
        transport,
        without_stop,
        bedrock,
        long_lived,
    )
}
"""Title of a family → its scenarios."""

SCENARIOS: dict[str, Scenario] = {entry.name: entry for family in FAMILIES.values() for entry in family}
