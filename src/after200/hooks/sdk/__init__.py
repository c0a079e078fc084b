# SPDX-License-Identifier: Apache-2.0
"""The first door: patches on the `anthropic` SDK."""
