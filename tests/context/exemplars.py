# SPDX-License-Identifier: Apache-2.0
"""What the tests of exemplars share: the call that they make, and the span that an exemplar names."""

from __future__ import annotations

from typing import Any

CREATE = "messages.create(stream=True)"


OVERLOADED = "overloaded_error_mid_stream"


DURATION = "gen_ai.client.operation.duration"


def context_of(span: Any) -> tuple[int, int]:
    return span.context.trace_id, span.context.span_id
