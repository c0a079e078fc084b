# SPDX-License-Identifier: Apache-2.0
"""Dashboards, rules, alerts and runbooks as code: names and a policy come in, files under `dashboards/` go out.

Nothing here runs inside an application, and no metric or label is spelled out here: names come from `names`
through `naming`, numbers from `policy`.
"""
