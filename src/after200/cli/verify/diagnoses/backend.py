# SPDX-License-Identifier: Apache-2.0
"""What left the process and is not in Prometheus, or raised no alert."""

from __future__ import annotations

from collections.abc import Iterator

from after200.cli.verify.diagnoses.findings import Finding, note
from after200.cli.verify.prometheus import CALLS, MODEL
from after200.cli.verify.seen import Seen

PROMETHEUS: dict[str, tuple[str, str]] = {
    "unreachable": ("No Prometheus answers: {detail}.", "Is the URL right from here, and is it running?"),
    "not_prometheus": (
        "What answers is not the query interface of a Prometheus: {detail}.",
        "Give the base URL, without /api/v1, and with a path where there is one (Mimir: .../prometheus). "
        "A key goes in --header.",
    ),
    "nothing": (
        f"No series named {CALLS}, of any service, is in Prometheus. {{detail}}",
        "Does the Collector have an exporter to Prometheus in its metrics pipeline, and does Prometheus scrape it? "
        "With a scrape interval above the waiting time: --timeout.",
    ),
    "renamed": (
        f"The metric is there under another name: {{detail}}. Dashboards and rules ask for {CALLS}.",
        "Let the translation be the usual one: in the Collector's exporter no namespace and add_metric_suffixes on, in "
        "Prometheus translation_strategy UnderscoreEscapingWithSuffixes.",
    ),
    "labels": (
        f"{CALLS} is there without the label {MODEL}; its labels are {{detail}}.",
        "Something on the way drops attributes: a view of the SDK, a processor of the Collector, or a relabelling.",
    ),
    "elsewhere": (
        f"{CALLS} is there, but not from this process. {{detail}}",
        "Does this environment send to the Collector that this Prometheus scrapes? With a scrape interval above the "
        "waiting time: --timeout.",
    ),
    "counts": (
        "The series are there, the counts are not those of the check: {detail}.",
        "Too many: is the same target scraped under two jobs? Too few: is the waiting time (--timeout) shorter than "
        "the scrape interval?",
    ),
}

ALERTMANAGER: dict[str, tuple[str, str]] = {
    "unreachable": ("No Alertmanager answers: {detail}.", "Is the URL right from here, and is it running?"),
    "not_alertmanager": ("What answers is not an Alertmanager: {detail}.", "Give the base URL, without /api/v2."),
    "no_alert": ("No alert came; {detail}.", "Are the rules of dashboards/prometheus loaded?"),
    "no_rules": ("No alert came: {detail}.", "Add dashboards/prometheus/*.yml to rule_files of Prometheus."),
    "not_firing": (
        "No alert came: {detail}.",
        "A rule needs a few evaluations: --timeout. Did the failures arrive as an increase from zero?",
    ),
    "not_connected": ("No alert came: {detail}.", "Name it under alerting.alertmanagers in prometheus.yml."),
    "not_arrived": ("No alert came. {detail}.", "Is that the Alertmanager you asked? Is an alert still pending?"),
}


def prometheus(seen: Seen) -> Iterator[Finding]:
    """The series did not come, or came wrong."""
    if seen.prometheus_missing is not None:
        yield _finding("prometheus", PROMETHEUS, seen.prometheus_missing.kind, seen.prometheus_missing.detail)
    elif seen.born_at_zero is False:
        yield note(
            "not_born_at_zero",
            "The series of the failures were not seen at zero before the first failure.",
            "The first failure of each process may be lost to increase(); with a long scrape interval: --timeout.",
        )


def job_of_the_collector(seen: Seen) -> Iterator[Finding]:
    """Dashboards and alerts go by job: it has to be the service's."""
    if "exported_job" in seen.prometheus_labels:
        yield note(
            "exported_job",
            "The label job is that of the scrape, the service's own is in exported_job: all services look like one.",
            "Set honor_labels: true for the job that scrapes the Collector.",
        )


def alertmanager(seen: Seen) -> Iterator[Finding]:
    """The alert did not come."""
    if seen.alerts_missing is not None:
        yield _finding("alertmanager", ALERTMANAGER, seen.alerts_missing.kind, seen.alerts_missing.detail)


def _finding(code: str, words: dict[str, tuple[str, str]], kind: str, detail: str) -> Finding:
    what, advice = words[kind]
    return Finding(f"{code}_{kind}", what.format(detail=detail).strip(), advice)


DIAGNOSES = (prometheus, job_of_the_collector, alertmanager)
