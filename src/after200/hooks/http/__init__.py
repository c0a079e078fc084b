# SPDX-License-Identifier: Apache-2.0
"""The second door: calls that do not go through the SDK, at the HTTP libraries. A page for each library, all alike."""
