# SPDX-License-Identifier: Apache-2.0
"""What a setting turns off, or a set-up leaves out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields

from after200.cli.verify.diagnoses.findings import Finding, note
from after200.cli.verify.seen import Seen
from after200.settings import PREFIX, Settings

EXPORTER_VARIABLES = {"traces": "OTEL_TRACES_EXPORTER", "metrics": "OTEL_METRICS_EXPORTER"}
KNOWN = {PREFIX + field.name.upper() for field in fields(Settings)}


def sdk_disabled(seen: Seen) -> Iterator[Finding]:
    """The switch for everything."""
    value = seen.environment.get("OTEL_SDK_DISABLED", "")
    if value.strip().lower() == "true":
        yield Finding(
            "sdk_disabled",
            f"OTEL_SDK_DISABLED={value} turns OpenTelemetry off.",
            "Unset it, or set it to false, where this service runs.",
        )


def instrumentation_disabled(seen: Seen) -> Iterator[Finding]:
    """The switch for one."""
    value = seen.environment.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "")
    named = {name.strip() for name in value.split(",")} & {"after200", "*"}
    if named and seen.setup is None:
        yield Finding(
            "instrumentation_disabled",
            f"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={value} turns after200 off.",
            f"Take {' and '.join(sorted(named))} out of that list.",
        )


def exporter_none(seen: Seen) -> Iterator[Finding]:
    """Recorded, and sent to nobody on purpose."""
    for signal, variable in EXPORTER_VARIABLES.items():
        if seen.setup is not None or "none" not in seen.environment.get(variable, "").split(","):
            continue
        if signal in seen.required:
            yield Finding(
                f"{signal}_exporter_none",
                f"{variable}={seen.environment[variable]}: no {signal} leave the process"
                + (", and dashboards and alerts are built on them." if signal == "metrics" else "."),
                f"Set it to otlp. If it is meant so, say which signal has to arrive: --signals {_other(signal)}.",
            )


def _other(signal: str) -> str:
    return next(name for name in EXPORTER_VARIABLES if name != signal)


def set_up_failed(seen: Seen) -> Iterator[Finding]:
    """The application's own set-up, or OpenTelemetry's, raised."""
    if not seen.facts:
        return
    error = seen.facts["set_up_error"]
    if error is not None:
        yield Finding(
            "set_up_failed",
            f"Setting OpenTelemetry up failed: {error}",
            f"Does {seen.setup or 'opentelemetry-instrument'} work in a Python shell, from this folder?",
        )
    for line in seen.log:
        if "ddress already in use" in line:
            port = seen.environment.get("OTEL_EXPORTER_PROMETHEUS_PORT", "9464")
            yield Finding(
                "prometheus_port_taken",
                f"The Prometheus exporter cannot listen on port {port}: somebody does. Is it the service itself?",
                "Run this beside the service with another OTEL_EXPORTER_PROMETHEUS_PORT that Prometheus scrapes too.",
            )
            return
        failed = re.search(r"Instrumenting of (\S+) failed(.*)", line)
        if failed:
            yield Finding(
                "other_instrumentation_failed",
                f"The instrumentation {failed[1]!r} failed, and OpenTelemetry loads none after it{failed[2]}",
                f"Turn it off until it is mended: OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={failed[1]}.",
                wrong=not seen.facts["active"],  # it may have come after ours
            )
            return
    for line in seen.log:
        if "Failed to auto initialize" in line or re.search(r"Configuration of \S+ failed", line):
            yield Finding(
                "set_up_failed",
                f"OpenTelemetry could not be set up: {line}",
                "The message names the setting or the package; opentelemetry-instrument prints the same.",
            )
            return


def not_instrumented(seen: Seen) -> Iterator[Finding]:
    """The fallback, when nothing above says why."""
    if seen.facts and seen.facts["sdk_error"] is None and not seen.facts["active"]:
        how = (
            f"{seen.setup} does not call AnthropicInstrumentor().instrument()."
            if seen.setup
            else "opentelemetry-instrument did not load after200."
        )
        yield Finding(
            "not_instrumented",
            how,
            "Call AnthropicInstrumentor().instrument() in it, or run the service under opentelemetry-instrument."
            if seen.setup
            else "Run it with OTEL_LOG_LEVEL=debug; among the lines of opentelemetry.instrumentation is the reason.",
        )


def own_provider(seen: Seen) -> Iterator[Finding]:
    """Telemetry goes to the provider that is global, and the application's is not."""
    overridden = {name for line in seen.log for name in re.findall(r"Overriding of current (\w+) is not allowed", line)}
    if overridden:
        yield Finding(
            "provider_overridden",
            f"The application sets its own {' and '.join(sorted(overridden))}, but opentelemetry-instrument was there "
            "first: the application's is not used.",
            "Let one of them set up OpenTelemetry: the application without opentelemetry-instrument, and "
            "AnthropicInstrumentor().instrument() in it; or opentelemetry-instrument alone.",
        )
    elif seen.facts and seen.setup is not None and seen.facts["set_up_error"] is None:
        without = [
            signal for signal in seen.required if not seen.facts["providers"][signal]["sdk"] and not seen.of(signal)
        ]
        if without:
            yield Finding(
                "provider_not_global",
                f"{seen.setup} sets no global provider for {' and '.join(without)}, and what is recorded goes nowhere.",
                "Set the global providers (opentelemetry.trace.set_tracer_provider, "
                "opentelemetry.metrics.set_meter_provider), or hand yours to AnthropicInstrumentor().instrument("
                "tracer_provider=..., meter_provider=...).",
            )


def sampler(seen: Seen) -> Iterator[Finding]:
    """Metrics do not depend on the sampler; spans do."""
    name = seen.environment.get("OTEL_TRACES_SAMPLER", "").strip()
    if "traces" not in seen.required:
        return
    if any("Failed to initialize sampler" in line for line in seen.log):
        yield note(
            "sampler_unknown", f"OTEL_TRACES_SAMPLER={name} is not known; the default holds.", "Correct the name."
        )
    elif name.endswith("always_off"):
        yield Finding(
            "sampler_off",
            f"OTEL_TRACES_SAMPLER={name}: no span is recorded. Metrics are, whatever the sampler.",
            "Set parentbased_always_on, or a ratio; if it is meant so: --signals metrics.",
        )
    elif "traceidratio" in name:
        ratio = seen.environment.get("OTEL_TRACES_SAMPLER_ARG", "1.0")
        yield note(
            "sampler_ratio",
            f"OTEL_TRACES_SAMPLER={name} with {ratio}: spans are sampled, so those of this check may be missing.",
            "Nothing to do. Metrics are complete, whatever the sampler.",
        )


def invalid_settings(seen: Seen) -> Iterator[Finding]:
    """A value that is not valid leaves the default in force; a name nobody knows does so without a word."""
    for line in seen.log:
        if line.startswith("after200: ") and " is not valid: accepted is " in line:
            yield Finding("setting_invalid", line.removeprefix("after200: "), "Correct the value.")
    for name in sorted(seen.environment):
        if name.startswith(PREFIX) and name not in KNOWN:
            yield Finding(
                "setting_unknown",
                f"{name} is no setting of after200.",
                f"There is: {', '.join(sorted(KNOWN))}.",
            )


def hooks(seen: Seen) -> Iterator[Finding]:
    """A place in the SDK that we listen at is not there, or somebody else sits on top of it."""
    if not seen.facts or not seen.facts["active"]:
        return
    for state, code, wrong, what in (
        ("missing", "hooks_missing", True, "are not in place: what they tell is not recorded"),
        ("covered", "hooks_covered", False, "are covered by somebody else's patch, which should call through"),
    ):
        targets = [hook["target"] for hook in seen.facts["hooks"] if hook["state"] == state]
        if targets:
            yield Finding(
                code,
                f"{len(targets)} hooks {what}: {', '.join(targets)}.",
                f"anthropic is {seen.version('anthropic')}; which versions are tested stands in docs/compatibility.md. "
                "Does other code patch the SDK?",
                wrong,
            )


DIAGNOSES = (
    sdk_disabled,
    instrumentation_disabled,
    exporter_none,
    set_up_failed,
    own_provider,
    sampler,
    invalid_settings,
    hooks,
)
FALLBACK = (not_instrumented,)
"""Asked when none of the above, nor anything about the installation, says why."""
