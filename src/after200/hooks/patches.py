# SPDX-License-Identifier: Apache-2.0
"""The patches on one library, by a table of targets. Putting them on and taking them off both walk it.

A module is patched when the application imports it, or now if it has been imported. A target that is missing is named
in one warning; every other target is patched all the same.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import wrapt

from ..guard import guarded, warn_once
from .wrappers import Arguments, Keywords, Wrapped

Wrapper = Callable[[Wrapped, Any, Arguments, Keywords], object]


class Target(NamedTuple):
    """One attribute of a library that is patched."""

    module: str
    path: str
    """The attribute in `module`, with the class that it belongs to."""

    wrapper: Wrapper
    """What is called in its place: `wrapper(wrapped, instance, args, kwargs)`, as wrapt has it."""

    loses: str
    """What is not recorded when the library does not have the attribute."""

    required: bool = True
    """False for an attribute that only some of the supported versions have."""


class Patch(NamedTuple):
    """A patch that is on."""

    parent: object
    """The module or class that has the attribute."""

    attribute: str
    original: object
    """What was there."""

    wrapper: object
    """What is there now."""

    inherited: bool
    """Whether the class had the attribute from a base."""


class Patches:
    """The patches of one instrumentation on one library."""

    def __init__(self, library: str, targets: Sequence[Target]) -> None:
        """`library`: the package that holds all modules of `targets`, as it is imported."""
        self._library = library
        self._targets = targets
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
        wrapt.register_post_import_hook(self._miss_modules, self._library)

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
    def _miss_modules(self, library: ModuleType) -> None:
        """Warns of the targets in modules that the library does not have: it imports all its modules at once."""
        for target in self._targets if self._on else ():
            if target.module not in sys.modules:
                self._miss(target)

    @guarded
    def _patch(self, target: Target) -> None:
        try:
            parent, attribute, original = wrapt.resolve_path(sys.modules[target.module], target.path)
        except AttributeError:
            self._miss(target)
            return
        for cls in (*wrapped_below(parent, attribute, original), parent):
            self._wrap(cls, attribute, vars(cls).get(attribute, original), target.wrapper)

    def _miss(self, target: Target) -> None:
        """Warns once that the library lacks `target`, unless only some of its supported versions have it."""
        if target.required:
            version = getattr(sys.modules.get(self._library), "__version__", "of an unknown version")
            warn_once(
                target.path,
                "after200 does not find %s.%s in %s %s. Not recorded because of that: %s",
                target.module,
                target.path,
                self._library,
                version,
                target.loses,
            )

    def _wrap(self, parent: object, attribute: str, original: object, hook: Wrapper) -> None:
        inherited = attribute not in vars(parent)
        # Somebody else's patch over ours keeps ours in place for good: it does nothing once there are no patches.
        wrapper = wrapt.FunctionWrapper(original, hook, enabled=self._patches.__len__)  # type: ignore[arg-type]
        setattr(parent, attribute, wrapper)
        self._patches.append(Patch(parent, attribute, original, wrapper, inherited))


def wrapped_below(parent: object, attribute: str, original: Wrapped) -> list[type]:
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


@guarded
def restore(patch: Patch) -> None:
    """Takes `patch` off, unless somebody has patched over it."""
    if vars(patch.parent).get(patch.attribute) is not patch.wrapper:
        return
    if patch.inherited:
        delattr(patch.parent, patch.attribute)
    else:
        setattr(patch.parent, patch.attribute, patch.original)
