# SPDX-License-Identifier: Apache-2.0
"""Who is measured: the bare SDK, after200 in each mode, the SDK's own tracing, and OpenTelemetry by hand."""

from __future__ import annotations

from .by_hand import ByHand
from .contestant import Contestant


class Native(Contestant):
    """The SDK's own tracing."""

    traced_by_sdk = True


class After200(Contestant):
    """after200 with everything on by default, and one choice of span."""

    spans = "own"

    def on(self) -> None:
        from after200 import AnthropicInstrumentor

        AnthropicInstrumentor().instrument(
            spans=self.spans,
            tracer_provider=self.telemetry.tracer_provider,
            meter_provider=self.telemetry.meter_provider,
        )

    def off(self) -> None:
        from after200 import AnthropicInstrumentor

        AnthropicInstrumentor().uninstrument()


class After200Annotate(After200):
    spans = "annotate"
    traced_by_sdk = True


class After200None(After200):
    spans = "none"


CONTESTANTS: dict[str, type[Contestant]] = {
    "bare": Contestant,
    "bare again": Contestant,
    "after200, spans=own": After200,
    "after200, spans=annotate": After200Annotate,
    "after200, spans=none": After200None,
    "the SDK's own tracing": Native,
    "the span and the points, by hand": ByHand,
}
