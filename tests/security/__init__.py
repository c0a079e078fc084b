# SPDX-License-Identifier: Apache-2.0
"""What a server that is not to be trusted can do to the telemetry: nothing but be recorded."""
