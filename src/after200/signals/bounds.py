# SPDX-License-Identifier: Apache-2.0
"""Bounds on the names that become labels: how many different ones a process records.

A metrics store keeps a series for every distinct value of a label, for good. Models come from the caller, everything
else from the server. What is beyond a bound is `_OTHER`.
"""

from __future__ import annotations

from typing import Final

from ..call.ended import EndedCall
from ..call.limits import DistinctNames
from ..names import OTHER, errors

MAX_MODELS: Final = 100
MAX_UNDOCUMENTED: Final = 50
"""How many error types, and how many error codes, that nobody documents."""

MAX_VALUES: Final = 100
"""How many different values of any other label that a server chooses."""


class Bounds:
    """What this process has recorded so far."""

    def __init__(self) -> None:
        self._models = DistinctNames(MAX_MODELS)
        self._response_models = DistinctNames(MAX_MODELS)
        self._types = DistinctNames(MAX_UNDOCUMENTED)
        self._codes = DistinctNames(MAX_UNDOCUMENTED)
        self._values: dict[str, DistinctNames] = {}

    def model(self, model: str | None) -> str | None:
        """Returns the model that was asked for as a label."""
        return None if model is None else self._models.admit(model)

    def response_model(self, model: str | None) -> str | None:
        """Returns the model that answered as a label."""
        return None if model is None else self._response_models.admit(model)

    def error_type(self, error_type: str | None) -> str:
        """Returns `error.type`: as it is when it is documented or a status code, `_OTHER` when there is none."""
        if error_type is None:
            return OTHER
        if errors.documented(error_type) is not None or _is_status(error_type):
            return error_type
        return self._types.admit(error_type)

    def error_code(self, code: str | None) -> str | None:
        """Returns `after200.error.code`."""
        if code is None or errors.is_documented_code(code):
            return code
        return self._codes.admit(code)

    def value(self, attribute: str, value: str | None) -> str | None:
        """Returns the value of any other attribute that a server chooses."""
        if value is None:
            return None
        if attribute not in self._values:
            self._values[attribute] = DistinctNames(MAX_VALUES)
        return self._values[attribute].admit(value)


BOUNDS: Bounds = Bounds()
"""The bounds of this process."""


def bounded(call: EndedCall) -> EndedCall:
    """Returns `call` with a bounded error type and error code."""
    verdict = call.verdict
    if verdict.error_type is None:
        return call
    error_type, code = BOUNDS.error_type(verdict.error_type), BOUNDS.error_code(verdict.error_code)
    return call._replace(verdict=verdict._replace(error_type=error_type, error_code=code))


def _is_status(error_type: str) -> bool:
    return len(error_type) == 3 and error_type.isdigit() and error_type >= "400"
