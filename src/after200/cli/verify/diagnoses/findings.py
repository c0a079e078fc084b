# SPDX-License-Identifier: Apache-2.0
"""`Finding`: one thing that is wrong, or worth knowing, and what to look at next."""

from __future__ import annotations

from typing import Final, NamedTuple

FAULTS: Final = (
    "probe_failed",
    "anthropic_missing",
    "anthropic_out_of_range",
    "opentelemetry_sdk_missing",
    "distro_missing",
    "exporter_missing",
    "not_registered",
    "not_instrumented",
    "other_instrumentation_failed",
    "sdk_disabled",
    "instrumentation_disabled",
    "traces_exporter_none",
    "metrics_exporter_none",
    "no_traces_exporter",
    "no_metrics_exporter",
    "set_up_failed",
    "prometheus_port_taken",
    "provider_overridden",
    "provider_not_global",
    "sampler_off",
    "setting_invalid",
    "setting_unknown",
    "hooks_missing",
    "exporter_unreachable",
    "exporter_tls",
    "exporter_closed",
    "wrong_protocol",
    "wrong_path",
    "exporter_unauthorized",
    "exporter_refused",
    "delta_temporality",
    "traces_differ",
    "metrics_differ",
    "prometheus_unreachable",
    "prometheus_not_prometheus",
    "prometheus_nothing",
    "prometheus_renamed",
    "prometheus_labels",
    "prometheus_elsewhere",
    "prometheus_counts",
    "alertmanager_unreachable",
    "alertmanager_not_alertmanager",
    "alertmanager_no_alert",
    "alertmanager_no_rules",
    "alertmanager_not_firing",
    "alertmanager_not_connected",
    "alertmanager_not_arrived",
)
"""Every code of what can be wrong, in the order in which a call meets it."""

NOTES: Final = (
    "counted_twice",
    "sampler_ratio",
    "sampler_unknown",
    "hooks_covered",
    "spans_off",
    "not_born_at_zero",
    "exported_job",
)
"""Every code of what changes no verdict; some faults are notes where they do no harm."""


class Finding(NamedTuple):
    """What is the matter, in words for somebody who did not write this."""

    code: str
    what: str
    next: str
    wrong: bool = True
    """False for what is worth knowing and changes no verdict."""


def note(code: str, what: str, advice: str) -> Finding:
    """A finding that changes no verdict."""
    return Finding(code, what, advice, wrong=False)
