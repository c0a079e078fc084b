# SPDX-License-Identifier: Apache-2.0
"""Faults of our own, and of what our telemetry goes through: the application sees none of them."""
