# SPDX-License-Identifier: Apache-2.0
"""`AnthropicInstrumentor`: settings in, patches on, patches off.

`opentelemetry-instrument` finds it under the entry point `after200`, and stops loading the other instrumentations when
one raises: nothing here does.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

from . import sigterm
from .following.dropped import end_dropped_before
from .guard import guarded, logger
from .hooks.patches import Patches
from .hooks.sdk.targets import targets
from .settings import PROVIDERS, read_settings
from .signals import Signals

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .settings import InstrumentKeywords

INSTRUMENTS = ("anthropic >= 0.27, < 3",)


class AnthropicInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Records what happens after the 200 of a call that the `anthropic` SDK makes.

    Keywords of `instrument()`: `spans`, `genai_metrics`, `chunk_timing`, `correct_exceptions`, `on_call_end`,
    `metric_baggage`, `flush_on_sigterm` (see `Settings`), and `tracer_provider`, `meter_provider`, `logger_provider` in
    place of the global ones. Instrumenting before and after `import anthropic` both work, also for clients that exist
    already.
    """

    _patches: Patches | None = None
    _signals: Signals | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        return INSTRUMENTS

    def instrument(self, **kwargs: Unpack[InstrumentKeywords]) -> None:
        """Puts the patches on. See `InstrumentKeywords`; an unknown keyword is named in one warning and ignored."""
        super().instrument(**kwargs)

    @guarded
    def is_supported(self) -> bool:
        """Returns whether a supported version of the SDK is installed. Warns of one that is not supported."""
        conflict = self._check_dependency_conflicts()
        if conflict is not None and conflict.found:
            logger.warning(
                "%s is not a version that after200 instruments (%s): nothing is recorded",
                conflict.found,
                conflict.required,
            )
        return conflict is None

    @guarded
    def _instrument(self, **kwargs: Any) -> None:
        settings = read_settings(kwargs)
        self._signals = signals = Signals(settings, **{name: kwargs.get(name) for name in PROVIDERS})
        signals.before_collection(end_dropped_before)
        self._patches = Patches("anthropic", targets(signals, settings))
        self._patches.put_on()
        if settings.flush_on_sigterm:
            sigterm.install(self, kwargs)

    @guarded
    def _uninstrument(self, **kwargs: Any) -> None:
        end_dropped_before()
        sigterm.remove(self)
        if self._patches is not None:
            self._patches.take_off()
            self._patches = None
        if self._signals is not None:
            self._signals.stopped()
            self._signals = None


class Automatic:
    """Instruments the SDK where a supported version is installed.

    `opentelemetry-instrument` loads this distribution for any of the libraries that it instruments, and says nothing of
    one that it leaves out.
    """

    def instrument(self, **kwargs: Any) -> None:
        """Puts the patches on, with the keywords of `opentelemetry-instrument`."""
        instrumentor = AnthropicInstrumentor()
        if instrumentor.is_supported():
            instrumentor.instrument(**{**kwargs, "skip_dep_check": True})


def automatic() -> Automatic:
    """The entry point."""
    return Automatic()
