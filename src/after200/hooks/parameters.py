# SPDX-License-Identifier: Apache-2.0
"""The request parameters that the conventions have attributes for: a request's body → `Call.parameters`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..call.record import Parameter

MAX_STOP_SEQUENCES: Final = 16

_NUMBERS: Final[tuple[tuple[str, str, tuple[type, ...]], ...]] = (
    ("maxTokens", "max_tokens", (int,)),
    ("max_tokens_to_sample", "max_tokens", (int,)),
    ("max_tokens", "max_tokens", (int,)),
    ("temperature", "temperature", (float, int)),
    ("topP", "top_p", (float, int)),
    ("top_p", "top_p", (float, int)),
    ("top_k", "top_k", (int,)),
)
"""A parameter's name in an API, its name here, and its types. Of two names for the same, the last one counts."""


def parameters_of(members: Mapping[str, Any]) -> dict[str, Parameter]:
    """Returns the parameters that a request's body names. Converse has them in an object of their own.

    One-shot iterators in `members` are not iterated.
    """
    config = members.get("inferenceConfig")
    fields = members if config is None or not isinstance(config, Mapping) else {**members, **config}
    parameters: dict[str, Parameter] = {}
    for known, parameter, types in _NUMBERS:
        value = fields.get(known)
        if value is not None and isinstance(value, types) and not isinstance(value, bool):
            parameters[parameter] = float(value) if types[0] is float else value  # type: ignore[assignment, arg-type]
    stops = fields.get("stop_sequences") or fields.get("stopSequences")
    if stops and isinstance(stops, list | tuple):
        parameters["stop_sequences"] = tuple(str(sequence) for sequence in stops[:MAX_STOP_SEQUENCES])
    return parameters
