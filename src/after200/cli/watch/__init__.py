# SPDX-License-Identifier: Apache-2.0
"""`after200 watch`: what the calls of a service really did, live in the terminal, without a backend.

the service's OTLP exporter ──> Receiver ──> summary ──> view ──> terminal, or JSON
"""
