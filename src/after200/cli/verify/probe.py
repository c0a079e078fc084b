# SPDX-License-Identifier: Apache-2.0
"""The service's own telemetry: set up in this process as the service does it, inspected, and fed with calls."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib import metadata, util
from typing import Any

from opentelemetry.instrumentation.dependencies import get_dependency_conflicts

from after200 import AnthropicInstrumentor
from after200.cli.exporters import providers
from after200.cli.verify import libraries
from after200.cli.verify.checks import Seen
from after200.instrumentor import INSTRUMENTS


def set_up(seen: Seen, *, instrument: bool) -> None:
    """Sets up: with `instrument` as `opentelemetry-instrument` does, then with the service's own set-up, if any."""
    try:
        if instrument:
            importlib.import_module("opentelemetry.instrumentation.auto_instrumentation").initialize()
        if seen.setup and (function := _setup_function(seen)) is not None:
            function()
    except Exception as error:
        seen.set_up_error = f"{type(error).__name__}: {error}"


def _setup_function(seen: Seen) -> Callable[[], object] | None:
    """Imports the module of the service's own set-up; returns the function. None: there is none, or it is not there."""
    module, _, function = str(seen.setup).partition(":")
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # The module is there, and imports one that is not.
        seen.setup_error = str(error)
        return None
    if function and not hasattr(loaded, function):
        seen.setup_error = f"module {module!r} has no {function!r}"
    return getattr(loaded, function, None) if function else None


def inspect(seen: Seen) -> None:
    """Finds out what is installed and active, once everything is set up."""
    conflict = get_dependency_conflicts(INSTRUMENTS)
    if conflict and conflict.found:
        seen.sdk_error = f"{conflict.found} is installed, and after200 instruments {INSTRUMENTS[0]}"
    try:
        importlib.import_module("anthropic")
    except ImportError as error:
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == "anthropic"
        seen.sdk_missing = is_missing and bool(libraries.instrumented())
        seen.sdk_error = None if seen.sdk_missing else str(error)
    seen.registered = bool(metadata.entry_points(group="opentelemetry_instrumentor", name="after200"))
    seen.active = bool(AnthropicInstrumentor().is_instrumented_by_opentelemetry)
    seen.providers = [signal for signal, provider in providers().items() if hasattr(provider, "force_flush")]
    needed = ["opentelemetry.sdk"] if seen.setup or seen.providers else ["opentelemetry.sdk", "opentelemetry.distro"]
    seen.missing = next((module.replace(".", "-") for module in needed if util.find_spec(module) is None), None)


def make_call(base_url: str, model: str) -> str:
    """Makes one streamed call and reads it to its end; returns what the application received."""
    import anthropic

    # A proxy is for what leaves the machine; the exporters keep theirs. Plain HTTP needs no certificates to be loaded.
    http_client = anthropic.DefaultHttpxClient(trust_env=False, verify=False)
    client = anthropic.Anthropic(base_url=base_url, api_key="none", max_retries=0, http_client=http_client)
    question: Any = {"role": "user", "content": "Is it recorded?"}
    events = 0
    try:
        with client.messages.create(model=model, max_tokens=16, messages=[question], stream=True) as stream:
            for _ in stream:
                events += 1
    except Exception as error:
        status = getattr(error, "status_code", None)
        return f"{events} events, then {type(error).__name__}" + (f", status_code {status}" if status else "")
    return f"{events} events"
