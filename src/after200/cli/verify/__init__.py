# SPDX-License-Identifier: Apache-2.0
"""`after200 verify`: does it work in this environment, with these settings, up to the backend?

command ══ a process of its own ══> run ──> probe ──> the service's own exporters
                                     ├────> backend   (Prometheus, Alertmanager)
                                     └─ Seen ──> findings ──> report
"""
