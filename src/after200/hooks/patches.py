# SPDX-License-Identifier: Apache-2.0
"""The patches, as one table of targets. Putting them on and taking them off both walk it.

A module is patched when the application imports it, or now if it has. A target that is missing is left out and named
in one warning; whatever else is there is patched all the same.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import wrapt

from ..guard import guarded, warn_once
from . import native, streams
from .requests import RequestHooks


class Target(NamedTuple):
    """One attribute of the SDK's, and the wrapper that goes around it."""

    module: str
    path: str
    wrapper: Callable[..., Any]
    required: bool = True
    """False for what only some of the supported versions have."""


class Patch(NamedTuple):
    """A patch that is on: what was there, and what is there now."""

    parent: Any
    attribute: str
    original: Any
    wrapper: Any
    inherited: bool


def targets(signals: Any) -> list[Target]:
    """Every target, in the order in which a call meets them."""
    hooks = RequestHooks(signals)
    client, stream = "anthropic._base_client", "anthropic._streaming"
    return [
        Target(client, "SyncAPIClient.request", hooks.request),
        Target(client, "AsyncAPIClient.request", hooks.arequest),
        Target(client, "BaseClient._build_request", hooks.build_request),
        Target(client, "BaseClient._should_retry", hooks.should_retry),
        Target(client, "BaseClient._calculate_retry_timeout", hooks.retry_timeout),
        Target(client, "SyncAPIClient._process_response", hooks.process_response),
        Target(client, "AsyncAPIClient._process_response", hooks.process_response),
        Target(stream, "Stream.__stream__", streams.stream),
        Target(stream, "AsyncStream.__stream__", streams.astream),
        Target(stream, "Stream._iter_events", streams.iter_events),
        Target(stream, "AsyncStream._iter_events", streams.aiter_events),
        Target(stream, "Stream.close", streams.close),
        Target(stream, "AsyncStream.close", streams.close),
        # Before 0.43 the helpers close the response, and no stream.
        Target("anthropic.lib.streaming._messages", "MessageStream.close", streams.close, required=False),
        Target("anthropic.lib.streaming._messages", "AsyncMessageStream.close", streams.close, required=False),
        Target(
            "anthropic.lib.bedrock._stream_decoder",
            "AWSEventStreamDecoder._parse_message_from_event",
            streams.parse_frame,
        ),
        Target(client, "start_api_call_span", native.start_span, required=False),
        Target(client, "finish_api_call_span", native.finish_span, required=False),
        Target("anthropic._tracing", "FirstEnd.end", native.end_body, required=False),
    ]


class Patches:
    """The patches of one instrumentation."""

    def __init__(self, signals: Any) -> None:
        self._targets = targets(signals)
        self._patches: list[Patch] = []
        self._on = False

    def put_on(self) -> None:
        """Patches every module of the table that is imported, and the others when they are."""
        self._on = True
        for module in dict.fromkeys(target.module for target in self._targets):
            if module in sys.modules:
                self._patch_module(sys.modules[module])
            else:
                wrapt.register_post_import_hook(self._patch_module, module)
        wrapt.register_post_import_hook(self._miss_modules, "anthropic")

    def take_off(self) -> None:
        """Puts back the very objects that were there."""
        self._on = False
        while self._patches:
            restore(self._patches.pop())

    @guarded
    def _patch_module(self, module: ModuleType) -> None:
        if not self._on:
            return
        for target in self._targets:
            if target.module == module.__name__:
                self._patch(target)

    @guarded
    def _miss_modules(self, sdk: ModuleType) -> None:
        """Names the targets in modules that the SDK does not have: every version imports all of its own."""
        for target in self._targets if self._on else ():
            if target.module not in sys.modules:
                miss(target)

    @guarded
    def _patch(self, target: Target) -> None:
        try:
            parent, attribute, original = wrapt.resolve_path(sys.modules[target.module], target.path)
        except AttributeError:
            miss(target)
            return
        for cls in (*wrapped_below(parent, attribute, original), parent):
            self._wrap(cls, attribute, vars(cls).get(attribute, original), target.wrapper)

    def _wrap(self, parent: Any, attribute: str, original: Any, hook: Any) -> None:
        inherited = attribute not in vars(parent)
        # Somebody else's patch over ours keeps ours in place for good: it does nothing once there are no patches.
        wrapper = wrapt.FunctionWrapper(original, hook, enabled=self._patches.__len__)  # type: ignore[arg-type]
        setattr(parent, attribute, wrapper)
        self._patches.append(Patch(parent, attribute, original, wrapper, inherited))


def wrapped_below(parent: Any, attribute: str, original: Any) -> list[type]:
    """The subclasses of `parent` for which somebody wrapped its `attribute` before: they pass by a patch on `parent`.

    logfire does, to `request` of each client class.
    """
    innermost = inspect.unwrap(original)
    found: list[type] = []
    classes: list[type] = [parent] if isinstance(parent, type) else []
    while classes:
        below: list[type] = classes.pop().__subclasses__()
        found += [cls for cls in below if attribute in vars(cls) and inspect.unwrap(vars(cls)[attribute]) is innermost]
        classes += below
    return found


def miss(target: Target) -> None:
    """Says once that `target` is not there, unless that is nothing special."""
    if target.required:
        warn_once(
            target.path,
            "after200 does not find %s.%s in this version of the anthropic SDK; what it tells is not recorded",
            target.module,
            target.path,
        )


@guarded
def restore(patch: Patch) -> None:
    """Takes `patch` off, unless somebody has patched over it."""
    if vars(patch.parent).get(patch.attribute) is not patch.wrapper:
        return
    if patch.inherited:
        delattr(patch.parent, patch.attribute)
    else:
        setattr(patch.parent, patch.attribute, patch.original)
