# SPDX-License-Identifier: Apache-2.0
"""`after200 dashboards`: writes dashboards, rules, alerts and runbooks. `after200.monitoring` does the work."""

from after200.monitoring.__main__ import main

__all__ = ["main"]
