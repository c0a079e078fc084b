# SPDX-License-Identifier: Apache-2.0
"""What is known of one call while it runs, and what it came to.

    bytes, events, exceptions ──> Facts ──> Call ──> Verdict ──> EndedCall

Plain Python: nothing here imports the SDK, an HTTP client or OpenTelemetry, so every rule of the contract can be
tested with literals.
"""
