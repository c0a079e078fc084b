# SPDX-License-Identifier: Apache-2.0
"""The table of expected calls, a row for each scenario of the fault server, and the surfaces of the SDK."""
