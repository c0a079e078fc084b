# SPDX-License-Identifier: Apache-2.0
"""The patches on the SDK, as one table of targets. Putting them on and taking them off both walk it.

A module is patched when the application imports it, or now if it has been imported. A target that is missing is named
in one warning; every other target is patched all the same.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import wrapt

from ..call.observer import CallObserver
from ..guard import guarded, warn_once
from ..settings import Settings
from . import native, streams
from .foreign import Foreign
from .requests import RequestHooks


class Target(NamedTuple):
    """One attribute of the SDK that is patched."""

    module: str
    path: str
    """The attribute in `module`, with the class that it belongs to."""

    wrapper: Callable[..., Any]
    """What is called in its place: `wrapper(wrapped, instance, args, kwargs)`, as wrapt has it."""

    loses: str
    """What is not recorded when the SDK does not have the attribute."""

    required: bool = True
    """False for an attribute that only some of the supported versions have."""


class Patch(NamedTuple):
    """A patch that is on."""

    parent: Foreign
    """The module or class that has the attribute."""

    attribute: str
    original: Foreign
    """What was there."""

    wrapper: Foreign
    """What is there now."""

    inherited: bool
    """Whether the class had the attribute from a base."""


def targets(observer: CallObserver, settings: Settings) -> list[Target]:
    """Returns every target, in the order in which a call meets them."""
    hooks = RequestHooks(observer, correct_exceptions=settings.correct_exceptions)
    client, stream, response = "anthropic._base_client", "anthropic._streaming", "anthropic._response"
    helper, bedrock = "anthropic.lib.streaming._messages", "anthropic.lib.bedrock._stream_decoder"
    early = "that a stream was closed, until its body is closed"
    return [
        Target(client, "SyncAPIClient.request", hooks.request, "every call of sync clients"),
        Target(client, "AsyncAPIClient.request", hooks.arequest, "every call of async clients"),
        Target(client, "BaseClient._build_request", hooks.build_request, "the attempts of a call"),
        Target(client, "BaseClient._should_retry", hooks.should_retry, "the status of an attempt that is retried"),
        Target(client, "BaseClient._calculate_retry_timeout", hooks.retry_timeout, "lost attempts and retry waits"),
        Target(client, "SyncAPIClient._process_response", hooks.process_response, "the request id of sync messages"),
        Target(client, "AsyncAPIClient._process_response", hooks.process_response, "the request id of async messages"),
        Target(stream, "Stream.__stream__", streams.stream, "exceptions that the SDK raises from sync streams"),
        Target(stream, "AsyncStream.__stream__", streams.astream, "exceptions that the SDK raises from async streams"),
        Target(stream, "Stream._iter_events", streams.iter_events, "nothing: the bytes are read instead"),
        Target(stream, "AsyncStream._iter_events", streams.aiter_events, "nothing: the bytes are read instead"),
        Target(stream, "Stream.close", streams.close, early),
        Target(stream, "AsyncStream.close", streams.close, early),
        # A raw response that is closed while a generator is being left was closed by the application all the same.
        Target(response, "APIResponse.close", streams.close, early, required=False),
        Target(response, "AsyncAPIResponse.close", streams.close, early, required=False),
        # Before 0.43 the helpers close the response, and no stream.
        Target(helper, "MessageStream.close", streams.close, early, required=False),
        Target(helper, "AsyncMessageStream.close", streams.close, early, required=False),
        Target(
            bedrock,
            "AWSEventStreamDecoder._parse_message_from_event",
            streams.parse_frame,
            "the error types of streams from Amazon Bedrock",
        ),
        Target(client, "start_api_call_span", native.start_span, "what the SDK's own span says", required=False),
        Target(client, "finish_api_call_span", native.finish_span, "what the SDK's own span says", required=False),
        Target("anthropic._tracing", "FirstEnd.end", native.end_body, "what the SDK's own span says", required=False),
    ]


class Patches:
    """The patches of one instrumentation."""

    def __init__(self, observer: CallObserver, settings: Settings) -> None:
        self._targets = targets(observer, settings)
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
        """Warns of the targets in modules that the SDK does not have: every version imports all its modules at once."""
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

    def _wrap(self, parent: Foreign, attribute: str, original: Foreign, hook: Foreign) -> None:
        inherited = attribute not in vars(parent)
        # Somebody else's patch over ours keeps ours in place for good: it does nothing once there are no patches.
        wrapper = wrapt.FunctionWrapper(original, hook, enabled=self._patches.__len__)  # type: ignore[arg-type]
        setattr(parent, attribute, wrapper)
        self._patches.append(Patch(parent, attribute, original, wrapper, inherited))


def wrapped_below(parent: Foreign, attribute: str, original: Foreign) -> list[type]:
    """Returns the subclasses of `parent` for which somebody wrapped its `attribute` before.

    A patch on `parent` does not reach them. logfire wraps `request` of each client class.
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
    """Warns once that the SDK does not have `target`, unless only some of the supported versions have it."""
    if target.required:
        version = getattr(sys.modules.get("anthropic"), "__version__", "of an unknown version")
        warn_once(
            target.path,
            "after200 does not find %s.%s in anthropic %s. Not recorded because of that: %s",
            target.module,
            target.path,
            version,
            target.loses,
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
