# SPDX-License-Identifier: Apache-2.0
"""`HTTPInstrumentor`: the second door, for calls that do not go through the SDK, and one instrumentor for each library.

`opentelemetry-instrument` finds the instrumentors of the libraries under the entry points `after200_httpx` and the
like, and stops loading the other instrumentations when one raises: nothing here does.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, ClassVar, Final

from opentelemetry.instrumentation.environment_variables import OTEL_PYTHON_DISABLED_INSTRUMENTATIONS
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

from . import sigterm
from .following.dropped import end_dropped_before
from .guard import guarded, logger
from .hooks.http.libraries import LIBRARIES
from .hooks.patches import Patches
from .settings import PROVIDERS, read_settings
from .signals import Signals

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .settings import HTTPInstrumentKeywords

_OF_THE_SDK_ONLY: Final = "correct_exceptions"
"""The setting that has no meaning here: these libraries raise nothing for an error after the 200."""


@functools.cache  # It reads the metadata of the distribution, for each library at each `instrument()`.
def is_installed(package: str) -> bool:
    """Returns whether the distribution `package` is installed."""
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


class LibraryInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Records the calls that go through one HTTP library. Its keywords are those of `HTTPInstrumentor`."""

    library: ClassVar[str]
    """`after200.client`."""

    _patches: tuple[Patches, ...] = ()

    def instrumentation_dependencies(self) -> Collection[str]:
        packages = LIBRARIES[self.library]
        installed = [package.requirement for package in packages if is_installed(package.name)]
        return installed or [packages[0].requirement]

    @guarded
    def _instrument(self, **kwargs: Any) -> None:
        if kwargs.pop(_OF_THE_SDK_ONLY, None) is not None:
            logger.warning("%s has no effect on calls without the SDK, and is ignored", _OF_THE_SDK_ONLY)
        settings = read_settings(kwargs)
        signals = Signals(settings, **{name: kwargs.get(name) for name in PROVIDERS})
        signals.before_collection(end_dropped_before)
        packages = LIBRARIES[self.library]
        self._patches = tuple(
            Patches(package.module or package.name, package.targets(signals, package.name)) for package in packages
        )
        for patches in self._patches:
            patches.put_on()
        if settings.flush_on_sigterm:
            sigterm.install(self, kwargs)

    @guarded
    def _uninstrument(self, **kwargs: Any) -> None:
        end_dropped_before()
        sigterm.remove(self)
        for patches in self._patches:
            patches.take_off()
        self._patches = ()


class HTTPXInstrumentor(LibraryInstrumentor):
    """Records the calls that go through httpx and httpx2."""

    library = "httpx"


class AiohttpInstrumentor(LibraryInstrumentor):
    """Records the calls that go through aiohttp's client."""

    library = "aiohttp"


class RequestsInstrumentor(LibraryInstrumentor):
    """Records the calls that go through requests."""

    library = "requests"


class BotocoreInstrumentor(LibraryInstrumentor):
    """Records the calls that go through botocore, as those of boto3 do."""

    library = "botocore"


INSTRUMENTORS: Final[dict[str, type[LibraryInstrumentor]]] = {
    instrumentor.library: instrumentor
    for instrumentor in (HTTPXInstrumentor, AiohttpInstrumentor, RequestsInstrumentor, BotocoreInstrumentor)
}
"""`after200.client` → the instrumentor of that library."""


class Automatic:
    """Instruments one library, unless the whole package is turned off: `opentelemetry-instrument` loads one of these.

    `after200` in `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` turns off all of it, `after200_httpx` that library alone.
    """

    def __init__(self, instrumentor: type[LibraryInstrumentor]) -> None:
        self._instrumentor = instrumentor

    def __call__(self) -> Automatic:
        return self

    def instrument(self, **kwargs: Any) -> None:
        """Puts the patches on, with the keywords of `opentelemetry-instrument`."""
        disabled = os.environ.get(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, "").split(",")
        if "after200" not in [name.strip() for name in disabled]:
            self._instrumentor().instrument(**kwargs)


automatic_httpx = Automatic(HTTPXInstrumentor)
automatic_aiohttp = Automatic(AiohttpInstrumentor)
automatic_requests = Automatic(RequestsInstrumentor)
automatic_botocore = Automatic(BotocoreInstrumentor)


class HTTPInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Records the calls that reach Claude without the SDK: through LiteLLM, or an HTTP library directly.

    Keywords of `instrument()`: `libraries`, the names of those to instrument (by default all that are installed), and
    the keywords of `AnthropicInstrumentor` but for `correct_exceptions`. A library that is instrumented already, by
    `opentelemetry-instrument` for example, is left as it is. Requests that the SDK sends stay with
    `AnthropicInstrumentor` where that is active, in whatever order the two are.
    """

    _instrumented: tuple[LibraryInstrumentor, ...] = ()

    def instrumentation_dependencies(self) -> Collection[str]:
        return ()

    def instrument(self, **kwargs: Unpack[HTTPInstrumentKeywords]) -> None:
        """Puts the patches on. An unknown keyword or library is named in one warning and ignored."""
        super().instrument(**kwargs)

    @guarded
    def _instrument(self, *, libraries: Iterable[str] | None = None, **kwargs: Any) -> None:
        instrumentors = [instrumentor() for instrumentor in chosen(libraries)]
        new = [instrumentor for instrumentor in instrumentors if not instrumentor.is_instrumented_by_opentelemetry]
        for instrumentor in new:
            instrumentor.instrument(**kwargs)
        self._instrumented = tuple(new)

    @guarded
    def _uninstrument(self, **kwargs: Any) -> None:
        for instrumentor in reversed(self._instrumented):
            instrumentor.uninstrument()
        self._instrumented = ()


def chosen(libraries: Iterable[str] | None) -> list[type[LibraryInstrumentor]]:
    """Returns the instrumentors of `libraries`; of all that are installed where it is None."""
    if libraries is None:
        return [
            instrumentor
            for library, instrumentor in INSTRUMENTORS.items()
            if any(is_installed(package.name) for package in LIBRARIES[library])
        ]
    names = [libraries] if isinstance(libraries, str) else list(libraries)
    for name in names:
        if name not in INSTRUMENTORS:
            logger.warning(
                "there is no library %r to instrument; the libraries are: %s", name, ", ".join(INSTRUMENTORS)
            )
    return [INSTRUMENTORS[name] for name in dict.fromkeys(names) if name in INSTRUMENTORS]
