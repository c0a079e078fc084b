# SPDX-License-Identifier: Apache-2.0
"""Clients of every platform that the SDK speaks to, ways of reading an answer, and what must be recorded of it."""
