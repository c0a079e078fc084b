# SPDX-License-Identifier: Apache-2.0
"""`after200 report`: what to say after an incident, from a Prometheus or from what `watch` has seen.

Prometheus, Tempo, Loki ──> history, requests ──┐
what `watch` received ─────────────> watched ───┴──> Incident ──> markdown, page (HTML), JSON
"""
