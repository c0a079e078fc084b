# SPDX-License-Identifier: Apache-2.0
"""Reads the page that a process shows to Prometheus: text in, the calls of the check's model by how they ended out."""

from __future__ import annotations

import urllib.request
from collections import Counter

from after200.cli.verify.endings import READ, Ending, ending_of
from after200.cli.verify.prometheus import CALLS, MODEL
from after200.monitoring.naming import label


def read_page(url: str, model: str) -> Counter[Ending]:
    """The counts on the page at `url`; none when it cannot be read."""
    from prometheus_client.parser import text_string_to_metric_families

    found: Counter[Ending] = Counter()
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            page = answer.read().decode("utf-8")
    except (OSError, ValueError):
        return found
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == CALLS and sample.labels.get(MODEL) == model:
                found[ending_of({name: sample.labels.get(label(name)) for name in READ})] += int(sample.value)
    return +found
