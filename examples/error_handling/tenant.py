# SPDX-License-Identifier: Apache-2.0
"""Put the id of the tenant on the span of each call, and one line in the log for each call that failed."""

from __future__ import annotations

import logging
from contextvars import ContextVar

from opentelemetry import trace

from after200 import AnthropicInstrumentor, EndedCall

tenant: ContextVar[str] = ContextVar("tenant", default="none")
log = logging.getLogger("my_service.claude")


def describe(call: EndedCall) -> None:
    """Runs once for each call that ended, while its span is current and can still be written to."""
    trace.get_current_span().set_attribute("tenant.id", tenant.get())
    if call.verdict.failure is not None:
        log.warning(
            "tenant %s: %s, request %s, after %.1f s",
            tenant.get(),
            call.verdict.failure,
            call.request_id,
            call.duration,
        )


if __name__ == "__main__":
    AnthropicInstrumentor().instrument(on_call_end=describe)
