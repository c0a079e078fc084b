# SPDX-License-Identifier: Apache-2.0
"""What can be wrong, as one table: code, stage, condition, what is the matter, what to look at next.

`diagnose` walks the table in the order in which a call meets these things. What follows from an earlier fault is not
reported again: where nothing is exported, nobody needs to read that Prometheus has nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, NamedTuple

from after200.cli.verify.checks import Finding, Seen
from after200.cli.verify.comparing import different, double_counts, double_spans
from after200.cli.verify.wording import brief, set_up_errors
from after200.instrumentor import INSTRUMENTS
from after200.settings import PREFIX

Condition = Callable[[Seen], Iterable[dict[str, Any]]]
"""What was seen → the words to fill in, once for each time that it holds; a word `wrong` decides for the verdict."""

INSTALLED, SET_UP, LOADED, EXPORTED, RECORDED, ARRIVED = range(6)
NOTE = False

SWITCHES = {
    "OTEL_SDK_DISABLED": "true",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": r"(.*,)?\s*(after200|\*)\s*(,.*)?",
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_TRACES_SAMPLER": ".*always_off",
}
"""Variables, and the values with which they turn something off."""

FEWER_SPANS = {"OTEL_TRACES_SAMPLER": ".*traceidratio.*", f"{PREFIX}SPANS": "none"}
"""Variables, and the values with which some or all spans are not recorded, and are not missed."""


class Row(NamedTuple):
    """One row of the table; `wrong` is `NOTE` for what is worth knowing and changes no verdict."""

    stage: int
    condition: Condition
    what: str
    next: str
    wrong: bool = True


def found(values: Callable[[Seen], Iterable[object]]) -> Condition:
    """Something was seen, each time as `{value}`; what is empty does not count."""
    return lambda seen: [{"value": value} for value in values(seen) if value]


def logged(pattern: str) -> Condition:
    """OpenTelemetry or after200 logged such a warning, which is `{value}`."""
    return found(lambda seen: [line for line in seen.log if re.search(pattern, line)])


def variables(switches: dict[str, str]) -> Condition:
    """Environment variables have such values; one that is about a signal counts when that must be exported."""
    return found(
        lambda seen: [
            f"{name}={os.environ[name]}"
            for name, pattern in switches.items()
            if re.fullmatch(pattern, os.environ.get(name, "").strip(), re.IGNORECASE)
            and not any(signal.upper() in name for signal in {"traces", "metrics"}.difference(seen.required))
        ]
    )


def problem(code: str) -> Condition:
    """Prometheus or Alertmanager gave the wrong answer, or none."""
    return found(lambda seen: [seen.problems.get(code)])


def failed(pattern: str) -> Condition:
    """Nothing that an exporter sends is accepted, and it has such an error; the first row that fits holds."""
    return lambda seen: [
        {
            "value": f"{one.signal} go to {one.endpoint or one}",
            "said": brief(said[0]),
            "wrong": one.signal in seen.required,
            "exporter": one,
        }
        for one in seen.exporters
        if one.failed and (said := [line for line in (*one.errors, "It says nothing.") if re.search(pattern, line)])
    ]


# fmt: off
class Code(Enum):
    """Every code, with its row."""

    SDK_UNUSABLE = Row(INSTALLED, found(lambda seen: [seen.sdk_error]),
        "The anthropic SDK cannot be used: {value}.",
        f"Is this the environment of the service? To install a version that can be: pip install '{INSTRUMENTS[0]}'.")
    SDK_MISSING = Row(INSTALLED, found(lambda seen: [seen.sdk_missing and ", ".join(seen.libraries)]),
        "The anthropic SDK is not installed here, so the calls were made through {value} only.",
        f"If the service uses the SDK, this is not its environment; or else: pip install '{INSTRUMENTS[0]}'.", NOTE)
    OPENTELEMETRY_MISSING = Row(INSTALLED, found(lambda seen: [seen.missing]),
        "{value} is not installed, so nothing sets OpenTelemetry up. Its API alone records nothing.",
        "pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http; or, for a service that sets "
        "OpenTelemetry up in its code: after200 verify --setup MODULE:FUNCTION.")
    EXPORTER_MISSING = Row(INSTALLED, logged(r"Requested component '\w+' not found in entry point '\w+_exporter'"),
        "An exporter is configured and not installed, so OpenTelemetry sets up nothing at all: {value}.",
        "Install its package: for otlp_proto_grpc, which opentelemetry-distro takes by default, pip install "
        "opentelemetry-exporter-otlp-proto-grpc. To use HTTP instead: OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.")
    NOT_REGISTERED = Row(INSTALLED, found(lambda seen: [not seen.setup and not seen.registered]),
        "after200 can be imported and is not installed, so opentelemetry-instrument does not find its entry point.",
        "Install it with pip, instead of adding its folder to PYTHONPATH.")

    TURNED_OFF = Row(SET_UP, variables(SWITCHES),
        "{value} turns off what must be exported.",
        "Change it where this service runs. If it is intended for one signal, name the other: --signals.")
    SETUP_NOT_FOUND = Row(SET_UP, found(lambda seen: [seen.setup_error]),
        "--setup names what is not there: {value}.",
        "Run it in the folder in which the service is started, or with that folder in PYTHONPATH. What follows the "
        "colon is a function of the module: --setup MODULE:FUNCTION.")
    SET_UP_FAILED = Row(SET_UP, set_up_errors,
        "OpenTelemetry could not be set up: {value}.", "{advice}")
    PROVIDER_OVERRIDDEN = Row(SET_UP, logged(r"Overriding of current \w+ is not allowed"),
        "The application sets a provider, but opentelemetry-instrument set one before, which is used: {value}.",
        "Let one of them set OpenTelemetry up: the application without opentelemetry-instrument, with "
        "AnthropicInstrumentor().instrument() in it; or opentelemetry-instrument alone.")
    PROVIDER_NOT_GLOBAL = Row(SET_UP, found(lambda seen: [signal for signal in seen.required if seen.setup
            and not (seen.set_up_error or seen.setup_error) and signal not in seen.providers and not seen.of(signal)]),
        "The set-up of the service sets no global provider for {value}, so what is recorded goes nowhere.",
        "Call opentelemetry.trace.set_tracer_provider and opentelemetry.metrics.set_meter_provider, or pass your "
        "providers to AnthropicInstrumentor().instrument(tracer_provider=..., meter_provider=...).")
    WARNED = Row(SET_UP, logged(r"^after200: (?!.* of the same calls as )|Failed to initialize sampler"),
        "There is a warning: {value}",
        "Correct the setting that it names. docs/compatibility.md lists the versions of the SDK that are tested.")
    FEWER_SPANS = Row(SET_UP, variables(FEWER_SPANS),
        "{value}: spans of this check may be missing.",
        "There is nothing to do if this is intended. Metrics do not depend on it.", NOTE)
    NOT_INSTRUMENTED = Row(LOADED, found(lambda seen: [
            not (seen.active or seen.sdk_missing) and (seen.setup or "opentelemetry-instrument")]),
        "{value} has not instrumented the SDK with after200.",
        "Call AnthropicInstrumentor().instrument() in the service's set-up, or run it under opentelemetry-instrument. "
        "There, with OTEL_LOG_LEVEL=debug, the lines of opentelemetry.instrumentation name the reason.")

    NO_EXPORTER = Row(EXPORTED, found(lambda seen: [signal for signal in seen.required if not seen.of(signal)]),
        "OpenTelemetry is set up without an exporter for {value}, so none leave the process.",
        "Set OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER to otlp, or give the service's providers an exporter.")
    EXPORTER_TLS = Row(EXPORTED, failed("SSLError|SSL_ERROR|Tls handshake"),
        "{value}: the TLS handshake fails. {said}",
        "Does that port speak TLS (else: http:// in the endpoint)? Own certificate: OTEL_EXPORTER_OTLP_CERTIFICATE.")
    WRONG_PROTOCOL = Row(EXPORTED, failed("BadStatusLine|Failed parsing HTTP/2"),
        "{value}: what answers there speaks another protocol. {said}",
        "Set OTEL_EXPORTER_OTLP_PROTOCOL to what that port speaks: usually grpc on 4317, http/protobuf on 4318.")
    EXPORTER_UNAUTHORIZED = Row(EXPORTED, failed("code: 40[13]|UNAUTHENTICATED|PERMISSION_DENIED"),
        "{value}: the receiver refuses the credentials. {said}",
        "Set OTEL_EXPORTER_OTLP_HEADERS to what the backend requires, for example 'authorization=Bearer KEY'.")
    WRONG_PATH = Row(EXPORTED, failed("code: 4(0[45]|15)|UNIMPLEMENTED"),
        "{value}: what answers there takes no OTLP on this path. {said}",
        "Is it the right port? OTEL_EXPORTER_OTLP_ENDPOINT is the base, without /v1/...; ..._TRACES_ENDPOINT and "
        "..._METRICS_ENDPOINT are the whole URL, with it.")
    EXPORTER_REFUSED = Row(EXPORTED, failed("code: [45]|Too Many Requests|Service Unavailable|Bad Gateway"),
        "{value}: the receiver answers, and accepts nothing. {said}",
        "The log of the receiver says why: does its configuration have a pipeline for this signal?")
    EXPORTER_UNREACHABLE = Row(EXPORTED, failed(""),
        "{value}: nobody answers there. {said}",
        "Is the Collector (or backend) running, and is this its address from here? In a container, localhost is the "
        "container. OTLP over gRPC is port 4317, over HTTP 4318. If it closes the connection: does it require TLS "
        "(https:// in the endpoint)? To receive OTLP in a terminal: after200 watch.")
    DELTA_TEMPORALITY = Row(EXPORTED, lambda seen: [{"wrong": seen.prometheus is not None} for one in seen.of("metrics")
            if any(point.temporality == "delta" for point in one.points)],
        "Metrics are sent as deltas. The Collector's exporter to Prometheus, and Prometheus itself, drop deltas.",
        "For Prometheus: OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative, or the Collector's "
        "deltatocumulative processor in between. Some other backends need deltas.")

    DIFFERENT = Row(RECORDED, found(lambda seen: different(seen, all_spans=not any(variables(FEWER_SPANS)(seen)))),
        "What was exported is not what happened: {value}.",
        "Does a processor, a view or a filter drop some, or does other code patch the SDK? If not, this is a fault of "
        "after200: report it with the output of after200 verify --json.")
    COUNTED_TWICE = Row(RECORDED, found(double_counts),
        "{value}. Sums over these metrics count a call twice.",
        "Sum only the series whose otel.scope.name is after200, or the after200.* metrics. If it records every call of "
        f"the service, those through frameworks too, {PREFIX}GENAI_METRICS=false leaves these metrics to it.", NOTE)
    TWO_SPANS = Row(RECORDED, found(double_spans),
        "{value} makes spans of the same calls, so each call has two.",
        f"Turn one off: ours with {PREFIX}SPANS=none, the SDK's own with ANTHROPIC_OPEN_TELEMETRY=false.", NOTE)

    BACKEND_UNREACHABLE = Row(ARRIVED, problem("backend_unreachable"),
        "{value}.",
        "Is it running, and is the URL right from here? Give the base URL, without /api/..., with a path if there is "
        "one (Mimir: .../prometheus). A key goes in --header.")
    PROMETHEUS_NOTHING = Row(ARRIVED, problem("prometheus_nothing"),
        "No series of this check is in Prometheus: {value}.",
        "Does this environment send to the Collector that this Prometheus scrapes, and does the Collector's metrics "
        "pipeline have an exporter to Prometheus? With a scrape interval above the waiting time: --timeout.")
    PROMETHEUS_CHANGED = Row(ARRIVED, problem("prometheus_changed"),
        "after200_calls_total is in Prometheus, but {value}. Dashboards and rules do not find it.",
        "A name: use the default translation (Collector: no namespace, add_metric_suffixes: true; Prometheus: "
        "UnderscoreEscapingWithSuffixes). A label: a view, a processor or a relabelling drops it.")
    PROMETHEUS_COUNTS = Row(ARRIVED, problem("prometheus_counts"),
        "The counts in Prometheus are not those of the check: {value}.",
        "Too many: do two jobs scrape the same target? Too few: is --timeout shorter than the scrape interval?")
    EXPORTED_JOB = Row(ARRIVED, found(lambda seen: [seen.exported_job]),
        "The label job is that of the scrape, and the service's own is in exported_job: all services look like one.",
        "Set honor_labels: true for the job that scrapes the Collector.", NOTE)
    NO_ALERT = Row(ARRIVED, problem("no_alert"), "No alert came.", "{value}")
# fmt: on


def diagnose(seen: Seen) -> list[Finding]:
    """Returns the findings, the wrong ones first. After a fault, no later stage reports faults."""
    reported: dict[Finding, int] = {}
    explained: set[object] = set()
    for code in Code:
        row = code.value
        last_stage = min((stage for finding, stage in reported.items() if finding.wrong), default=ARRIVED)
        for words in row.condition(seen):
            wrong, exporter = bool(words.get("wrong", row.wrong)), words.get("exporter")
            if exporter not in explained and (not wrong or row.stage <= last_stage):
                finding = Finding(code.name.lower(), row.what.format(**words), row.next.format(**words), wrong)
                reported.setdefault(finding, row.stage)
                explained |= {exporter} - {None}
    return sorted(reported, key=lambda finding: not finding.wrong)
