# SPDX-License-Identifier: Apache-2.0
"""Real servers of monitoring, real applications that report to them, and episodes in time lapse."""
