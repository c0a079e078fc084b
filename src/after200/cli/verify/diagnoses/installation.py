# SPDX-License-Identifier: Apache-2.0
"""What is not installed, or not in a version that goes with the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.requirements import Requirement

from after200.cli.verify.diagnoses.findings import Finding, note
from after200.cli.verify.seen import Seen
from after200.instrumentor import INSTRUMENTS

EXPORTERS = {
    "otlp_proto_grpc": "opentelemetry-exporter-otlp-proto-grpc",
    "otlp_proto_http": "opentelemetry-exporter-otlp-proto-http",
    "prometheus": "opentelemetry-exporter-prometheus",
}


def probe_failed(seen: Seen) -> Iterator[Finding]:
    """The process that was to be checked did not even answer."""
    if seen.probe_error is not None:
        yield Finding(
            "probe_failed",
            f"A Python process of this environment could not be checked: {seen.probe_error}",
            "Does the service itself start here? `opentelemetry-instrument python -c pass` should print nothing.",
        )


def anthropic_missing(seen: Seen) -> Iterator[Finding]:
    """No SDK, nothing to instrument."""
    if seen.facts and seen.facts["sdk_error"] is not None:
        yield Finding(
            "anthropic_missing",
            f"The anthropic SDK cannot be imported: {seen.facts['sdk_error']}",
            f"Install it in this environment: pip install '{INSTRUMENTS[0]}'. Is this the service's own environment?",
        )


def anthropic_out_of_range(seen: Seen) -> Iterator[Finding]:
    """OpenTelemetry refuses to load an instrumentation whose requirement is not met."""
    version, requirement = seen.version("anthropic"), Requirement(INSTRUMENTS[0])
    if version is not None and not requirement.specifier.contains(version, prereleases=True):
        yield Finding(
            "anthropic_out_of_range",
            f"anthropic {version} is installed; after200 knows {requirement.specifier}, so it is not loaded.",
            f"Install a version in that range: pip install '{INSTRUMENTS[0]}'.",
        )


def opentelemetry_missing(seen: Seen) -> Iterator[Finding]:
    """The API alone records nothing."""
    if seen.facts and seen.version("opentelemetry-sdk") is None:
        yield Finding(
            "opentelemetry_sdk_missing",
            "opentelemetry-sdk is not installed: the API without it records nothing.",
            "pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http",
        )
    elif seen.facts and seen.setup is None and seen.version("opentelemetry-distro") is None and not _has_sdk(seen):
        yield Finding(
            "distro_missing",
            "opentelemetry-distro is not installed, so opentelemetry-instrument configures no SDK and no exporter.",
            "pip install opentelemetry-distro; or, when the service sets OpenTelemetry up in its code, "
            "after200 verify --setup MODULE:FUNCTION.",
        )


def _has_sdk(seen: Seen) -> bool:
    return any(provider["sdk"] for provider in seen.facts["providers"].values())


def exporter_missing(seen: Seen) -> Iterator[Finding]:
    """The SDK gives up all of its set-up when one exporter is not there."""
    for line in seen.log:
        named = re.search(r"Requested component '(\w+)' not found in entry point 'opentelemetry_\w+_exporter'", line)
        if named is None:
            continue
        exporter = named[1]
        package = EXPORTERS.get(exporter, "the package that brings it")
        other = " To use HTTP instead: OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf." if exporter.endswith("grpc") else ""
        reason = (
            " (grpc is what opentelemetry-distro takes when nothing else is set)" if exporter.endswith("grpc") else ""
        )
        yield Finding(
            "exporter_missing",
            f"The exporter {exporter!r} is configured{reason} and not installed; OpenTelemetry then sets up nothing.",
            f"pip install {package}.{other}",
        )
        return


def not_registered(seen: Seen) -> Iterator[Finding]:
    """Importable, but `opentelemetry-instrument` cannot find it."""
    if seen.facts and seen.setup is None and not seen.facts["registered"]:
        yield Finding(
            "not_registered",
            "after200 can be imported, but is not installed: opentelemetry-instrument looks for its entry point.",
            "Install it with pip, in place of a path in PYTHONPATH.",
        )


def other_instrumentations(seen: Seen) -> Iterator[Finding]:
    """Two that watch the same calls count them twice, each under its own name."""
    scopes: dict[str, set[str]] = {}
    for exporter in seen.exporters:
        for scope in exporter.others if exporter.calls else ():
            scopes.setdefault(scope, set()).add(exporter.signal)
    for scope, signals in scopes.items():
        advice = []
        if "metrics" in signals:
            advice.append(
                "sums over gen_ai.client.* count each call twice: set OTEL_INSTRUMENTATION_AFTER200_GENAI_METRICS=false"
            )
        if "traces" in signals:
            advice.append(
                "each call has two spans: turn one off, ours with OTEL_INSTRUMENTATION_AFTER200_SPANS=none, "
                "and the SDK's with ANTHROPIC_OPEN_TELEMETRY=false"
            )
        yield note(
            "counted_twice",
            f"{scope} records the same calls ({', '.join(sorted(signals))}).",
            "; ".join(advice) + ". The metrics named after200.* are counted once, whatever else is installed.",
        )


def known_neighbours(seen: Seen) -> Iterator[Finding]:
    """What after200 says itself of an instrumentation that it knows, where these few calls did not show it."""
    shown = any(exporter.others for exporter in seen.of("metrics"))
    for line in () if shown else seen.log:
        if line.startswith("after200: ") and "of the same calls as after200 does" in line:
            what, _, advice = line.removeprefix("after200: ").partition(". ")
            yield note("counted_twice", f"{what}.", advice)


DIAGNOSES = (
    probe_failed,
    anthropic_missing,
    anthropic_out_of_range,
    opentelemetry_missing,
    exporter_missing,
    not_registered,
    other_instrumentations,
    known_neighbours,
)
