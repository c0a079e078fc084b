# SPDX-License-Identifier: Apache-2.0
"""The six dashboards, one module each: `dashboard` takes a policy and returns a `Board`."""
