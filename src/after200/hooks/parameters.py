# SPDX-License-Identifier: Apache-2.0
"""The request parameters that the conventions have attributes for: a request's body → `Call.parameters`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..call.record import Parameter

MAX_STOP_SEQUENCES: Final = 16

_PARAMETERS: Final[dict[str, tuple[tuple[str, ...], tuple[type, ...]]]] = {
    "max_tokens": (("max_tokens", "max_tokens_to_sample", "maxTokens"), (int,)),
    "temperature": (("temperature",), (float, int)),
    "top_p": (("top_p", "topP"), (float, int)),
    "top_k": (("top_k",), (int,)),
}
"""A parameter that the conventions have an attribute for → its names in the APIs, and the types that it may have."""


def parameters_of(members: Mapping[str, Any]) -> dict[str, Parameter]:
    """Returns the parameters that a request's body names. Converse has them in an object of their own.

    One-shot iterators in `members` are not iterated.
    """
    config = members.get("inferenceConfig")
    fields = {**members, **config} if isinstance(config, Mapping) else members
    parameters: dict[str, Parameter] = {}
    for parameter, (known_names, types) in _PARAMETERS.items():
        value = None
        for known in reversed(known_names):
            value = fields.get(known, value)
        if isinstance(value, types) and not isinstance(value, bool):
            parameters[parameter] = float(value) if types[0] is float else value  # type: ignore[assignment, arg-type]
    stops = fields.get("stop_sequences") or fields.get("stopSequences")
    if isinstance(stops, list | tuple) and stops:
        parameters["stop_sequences"] = tuple(str(sequence) for sequence in stops[:MAX_STOP_SEQUENCES])
    return parameters
