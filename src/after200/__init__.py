# SPDX-License-Identifier: Apache-2.0
"""OpenTelemetry instrumentation for the `anthropic` SDK: what happened after the 200.

    from after200 import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()

or run the service under `opentelemetry-instrument`, which does the same.
"""

from ._version import __version__
from .instrumentor import AnthropicInstrumentor

__all__ = ["AnthropicInstrumentor", "__version__"]
