# SPDX-License-Identifier: Apache-2.0
"""Every attribute, metric, unit and allowed value that the package writes, each once and with its description.

This package imports nothing of the rest, so that the hooks, the signals, the fault server, the dashboards and the
documentation can all take their names from it. It keeps its own constants because the conventions for generative AI
still change between releases of `opentelemetry-semantic-conventions`.
"""

from __future__ import annotations

from typing import Final

from .attributes import *  # noqa: F403
from .metrics import *  # noqa: F403
from .values import *  # noqa: F403

SCOPE: Final = "after200"
"""The name of the tracer, the meter and the logger."""

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.38.0"
"""The version of the conventions that the names of `gen_ai.*`, `server.*`, `http.*` and `error.*` are taken from."""

EXCEPTION_EVENT: Final = "gen_ai.client.operation.exception"
"""The event name of the log record of an error."""
