# SPDX-License-Identifier: Apache-2.0
"""One addition for each row of CONTRIBUTING that a test can make: the changes in a copy of the tree, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Change:
    """Text to put into a file, before the first place that has `before`; without one, the file is new."""

    file: str
    before: str
    text: str

    def make(self, root: Path) -> None:
        """Makes the change in the tree at `root`."""
        path = root / self.file
        source = path.read_text("utf-8") if self.before else ""
        assert self.before in source, f"{self.file} has no {self.before!r}"
        path.write_text(source.replace(self.before, self.text + self.before, 1), "utf-8")


BOARD = "src/after200/monitoring/boards/attempts.py"
CODE = '    "cmek_not_approved": "denied",\n'
OF_WORTH = '        failed_calls.from_spans(\n            "Calls saved by a retry",\n'
CASE = """\
    Case(
        "A job that makes very many calls is said to",
        {COMPLETED: "0+100000x40"},
        {
            "15s": (),
            "8m": (
                Firing(
                    "ClaudeManyCalls",
                    {"job": "chat", "severity": "warning"},
                    "A job makes very many calls to Claude.",
                    "chat has made more than a million calls to Claude in 5m.",
                ),
            ),
        },
    ),
"""
RUNBOOK = """\
# ClaudeManyCalls

**Fires when** a job has made more than a million calls to Claude in five minutes.

## What it means

A loop may call Claude.

## Confirm

```promql
sum by (job) (<<metric.streams_open>>)
```

Dashboard: [*Claude: After the 200*](<<policy.grafana>>/d/after200-calls?from=now-3h&to=now).

## What to do

Look for the loop.

## Whom to tell

The owners of the job.
"""

ADDITIONS: dict[str, tuple[Change, ...]] = {
    "an error type": (
        Change(
            "src/after200/names/errors.py",
            '    "overloaded_error": Documented(529, "overloaded"),\n',
            '    "tenant_frozen_error": Documented(423, "denied"),\n',
        ),
        Change(
            "src/after200/faults/catalog/error_types.py",
            '    "overloaded_error": (529, "Overloaded"),\n',
            '    "tenant_frozen_error": (423, "The tenant is frozen."),\n',
        ),
        Change(
            "tests/support/contract.py",
            '    "overloaded_error": (529, "overloaded"),\n',
            '    "tenant_frozen_error": (423, "denied"),\n',
        ),
        Change(
            "tests/support/contract.py",
            '    "overloaded_error": ("OverloadedError", "InternalServerError"),\n',
            '    "tenant_frozen_error": ("APIStatusError",),\n',
        ),
    ),
    "an error code": (
        Change(
            "src/after200/names/errors.py", '    "cmek_not_approved": "denied",\n', '    "tenant_lost": "denied",\n'
        ),
        Change("tests/support/contract.py", '    "cmek_not_approved": "denied",\n', '    "tenant_lost": "denied",\n'),
    ),
    "a stop reason": (
        Change("src/after200/names/values.py", '    "pause_turn": "paused",\n', '    "page_is_full": "cut",\n'),
    ),
    "an attribute": (
        Change(
            "src/after200/names/attributes.py",
            'RATE_LIMIT_KIND: Final = "after200.rate_limit.kind"\n',
            'CALL_ATTEMPTS: Final = "after200.call.attempts"\n',
        ),
        Change(
            "src/after200/names/attributes.py",
            '    OUTCOME: Attribute("string",',
            '    CALL_ATTEMPTS: Attribute("integer", "how many requests were sent", _BOTH),\n',
        ),
        Change(
            "src/after200/signals/spans.py",
            "            names.WIRE_STATUS: call.wire_status,\n",
            "            names.CALL_ATTEMPTS: len(call.attempts),\n",
        ),
        Change("tests/unit/test_names.py", '        "after200.retryable",\n', '        "after200.call.attempts",\n'),
        Change(
            "tests/support/streams/telling.py",
            '            "after200.outcome": ending.outcome,\n',
            '            "after200.call.attempts": len(self.attempts),\n',
        ),
    ),
    "a metric": (
        Change(
            "src/after200/names/metrics.py",
            "STREAMS_OPEN: Final = Metric(",
            'CALL_TIME: Final = Metric(\n    "after200.call.time",\n    "histogram",\n    "s",\n    CALL_ATTRIBUTES,\n'
            '    "How long calls took.",\n    DURATION_BUCKETS,\n)\n',
        ),
        Change("src/after200/names/metrics.py", "    STREAMS_OPEN,\n", "    CALL_TIME,\n"),
        Change(
            "src/after200/signals/metrics.py",
            "        self._genai = genai\n",
            "        self._call_time = instruments.histogram(names.CALL_TIME)\n",
        ),
        Change(
            "src/after200/signals/metrics.py",
            "        if call.streamed:\n            self._count_open(kind, -1)\n",
            "        set_of_call = attributes.outcome_attributes(kind, None)\n"
            "        self._points.add(self._call_time, call.duration, set_of_call, context)\n",
        ),
        Change(
            "tests/unit/test_names.py",
            '    "after200.streams.open": (',
            '    "after200.call.time": ("histogram", "s", CALL),\n',
        ),
        Change(
            "tests/support/streams/telling.py",
            "        for status, error_type in self.attempts:\n",
            '        add("after200.call.time", base)\n',
        ),
        Change(
            BOARD,
            OF_WORTH,
            '        p.number(\n            "Time in calls",\n            "Of all calls together.",\n            "s",\n'
            "            f\"sum(increase({chosen(names.CALL_TIME, part='sum')}[$__range]))\",\n        ),\n",
        ),
        Change(
            BOARD,
            "from after200.monitoring.selection import",
            "from after200.monitoring.selection import chosen\n",
        ),
    ),
    "a setting": (
        Change(
            "src/after200/settings.py",
            "    chunk_timing: bool = False\n    correct_exceptions",
            "    whole_times: bool = False\n",
        ),
        Change("src/after200/settings.py", "    chunk_timing: bool | None\n", "    whole_times: bool | None\n"),
        Change("src/after200/settings.py", '    "chunk_timing": _boolean,\n', '    "whole_times": _boolean,\n'),
        Change("tests/unit/test_settings.py", "chunk_timing, correct_exceptions,", "whole_times, "),
        Change("tests/unit/test_settings.py", '"CHUNK_TIMING", "CORRECT_EXCEPTIONS",', '"WHOLE_TIMES", '),
        Change(
            "docs/settings.md",
            "| `chunk_timing` |",
            "| `whole_times` | `OTEL_INSTRUMENTATION_AFTER200_WHOLE_TIMES` | `true`, `false` | `false` |\n",
        ),
    ),
    "a scenario": (
        Change(
            "src/after200/faults/catalog/usage.py",
            '    _served("speed_fast",',
            '    _served("speed_slow", "served slowly", Usage(speed="slow")),\n',
        ),
        Change(
            "tests/support/streams/expected_answers.py",
            '    _answered("speed_fast",',
            '    _answered("speed_slow", usage=Usage(speed="slow")),\n',
        ),
    ),
    "an alert": (
        Change(
            "src/after200/monitoring/alerts/telemetry.py",
            "        *no_traffic(policy),\n",
            '        Alert(\n            "ClaudeManyCalls",\n'
            "            f\"{sum_by(['job'], sums.CALLS.increase(policy.window))} > 1e6\",\n"
            '            "A job makes very many calls to Claude.",\n'
            '            f"{{{{ $labels.job }}}} has made more than a million calls to Claude in {policy.window}.",\n'
            "            variables=URL_OF_JOB,\n        ),\n",
        ),
        Change(
            "src/after200/monitoring/places.py",
            '    "ClaudeNoTraffic": (',
            '    "ClaudeManyCalls": (CALLS, "Success rate: claimed and true"),\n',
        ),
        Change("src/after200/monitoring/templates/runbooks/ClaudeManyCalls.md", "", RUNBOOK),
        Change(
            "tests/monitoring/cases.py",
            '    Case(\n        "The first overload of a fresh process fires at once',
            CASE,
        ),
    ),
    "a panel": (
        Change(
            BOARD,
            OF_WORTH,
            '        p.count("Calls that were ended", "However they ended.", calls.total(), span=12),\n',
        ),
    ),
}
"""What is added, as CONTRIBUTING names it → the changes."""
