# SPDX-License-Identifier: Apache-2.0
"""What is installed and active in the probed process, in values that JSON has. Reads, changes nothing.

Packages, the providers' extras, other GenAI instrumentations, the providers of OpenTelemetry, and for each target of
the patch table whether our hook is there.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from typing import Any

from after200 import AnthropicInstrumentor
from after200.hooks.patches import targets
from after200.settings import Settings
from after200.signals import Signals

PACKAGES = (
    "after200",
    "anthropic",
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation",
    "opentelemetry-distro",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-exporter-otlp-proto-grpc",
    "opentelemetry-exporter-prometheus",
)

SURFACES = {"Claude API": (), "Bedrock": ("boto3", "botocore"), "Vertex": ("google.auth",)}
"""The SDK's providers and what each needs beyond the SDK."""

GENAI = {
    "opentelemetry-instrumentation-anthropic": "opentelemetry.instrumentation.anthropic",
    "opentelemetry-instrumentation-genai-anthropic": "opentelemetry.instrumentation.genai.anthropic",
    "openinference-instrumentation-anthropic": "openinference.instrumentation.anthropic",
    "openlit": "openlit",
    "logfire": "logfire",
    "sentry-sdk": "sentry_sdk",
    "ddtrace": "ddtrace",
    "langfuse": "langfuse",
}
"""Distributions that instrument the same SDK, and the module that is imported where they are active."""


def version_of(distribution: str) -> str | None:
    """The installed version, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def inspect_process() -> dict[str, Any]:
    """Everything about this process that the parent wants to know before a call is made."""
    sdk_error = import_sdk()
    instrumentor = AnthropicInstrumentor()
    return {
        "python": sys.version.split()[0],
        "packages": {name: version for name in PACKAGES if (version := version_of(name))},
        "surfaces": [name for name, needs in SURFACES.items() if all(map(_is_importable, needs))],
        "genai": {
            name: {"version": version, "active": module in sys.modules}
            for name, module in GENAI.items()
            if (version := version_of(name))
        },
        "sdk_error": sdk_error,
        "registered": _is_registered(),
        "active": bool(instrumentor.is_instrumented_by_opentelemetry),
        "hooks": hooks(instrumentor) if sdk_error is None else [],
        "providers": providers(),
    }


def import_sdk() -> str | None:
    """Import the SDK as the application does; what went wrong, if it did."""
    try:
        importlib.import_module("anthropic")
    except ImportError as error:
        return str(error)
    return None


def _is_importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _is_registered() -> bool:
    found = importlib.metadata.entry_points(group="opentelemetry_instrumentor", name="after200")
    return any(entry_point.value.startswith("after200:") for entry_point in found)


def hooks(instrumentor: Any) -> list[dict[str, Any]]:
    """Each target of the patch table: `in place`, `covered` (somebody patched over it), `missing`, or `absent`
    (this version of the SDK has no such thing, and need not)."""
    patches = getattr(getattr(instrumentor, "_patches", None), "_patches", ())
    found = []
    for target in targets(Signals(Settings()), Settings()):
        try:
            importlib.import_module(target.module)
        except ImportError:
            found.append({"target": f"{target.module}.{target.path}", "state": "absent"})
            continue
        parent, _, attribute = target.path.rpartition(".")
        owner = sys.modules[target.module]
        for name in filter(None, parent.split(".")):
            owner = getattr(owner, name, None)  # type: ignore[assignment]
        if owner is None or not hasattr(owner, attribute):
            state = "missing" if target.required else "absent"
        else:
            ours = [patch for patch in patches if patch.parent is owner and patch.attribute == attribute]
            now = vars(owner).get(attribute)
            state = "missing" if not ours else "in place" if any(now is patch.wrapper for patch in ours) else "covered"
        found.append({"target": f"{target.module}.{target.path}", "state": state})
    return found


def providers() -> dict[str, dict[str, Any]]:
    """The global providers: their class, and whether they can flush (the API's own placeholders cannot)."""
    from opentelemetry import _logs, metrics, trace

    found = {
        "traces": trace.get_tracer_provider(),
        "metrics": metrics.get_meter_provider(),
        "logs": _logs.get_logger_provider(),
    }
    return {
        signal: {
            "class": f"{type(provider).__module__}.{type(provider).__qualname__}",
            "sdk": hasattr(provider, "force_flush"),
        }
        for signal, provider in found.items()
    }
