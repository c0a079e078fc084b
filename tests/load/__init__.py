# SPDX-License-Identifier: Apache-2.0
"""Exact to the last call: many calls at once, every fault, every way to deal with a stream, and nothing left over."""
