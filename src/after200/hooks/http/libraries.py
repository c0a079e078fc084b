# SPDX-License-Identifier: Apache-2.0
"""The HTTP libraries of the second door, as a table. To add one is a page of hooks and a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ...call.observer import CallObserver
from ..patches import Target
from . import aiohttp, botocore, httpx, requests


class Package(NamedTuple):
    """A package whose functions are patched."""

    name: str
    """The name by which it is imported, which is that of its distribution too."""

    requirement: str
    """The versions that are supported, as a requirement."""

    targets: Callable[[CallObserver, str], Sequence[Target]]
    """Returns what is patched of the package of that name."""

    module: str | None = None
    """The module that has what is patched, where importing the package does not import it."""


LIBRARIES: Final[dict[str, tuple[Package, ...]]] = {
    "httpx": (
        Package("httpx", "httpx >= 0.23, < 1", httpx.targets),
        Package("httpx2", "httpx2 >= 2, < 3", httpx.targets),
    ),
    "aiohttp": (Package("aiohttp", "aiohttp >= 3.9, < 4", aiohttp.targets),),
    "requests": (Package("requests", "requests >= 2.28, < 3", requests.targets),),
    "botocore": (Package("botocore", "botocore >= 1.34, < 2", botocore.targets, "botocore.httpsession"),),
}
"""`after200.client` → its packages. One that is not installed is never patched."""
