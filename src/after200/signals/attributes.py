# SPDX-License-Identifier: Apache-2.0
"""The attribute sets of the metrics. Each that occurs is built once; every argument is bounded already.

A set of a sum is a `Key`, pairs of a name and a value; a set of a histogram is a dict. Both are shared: nobody may
change them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from opentelemetry.util.types import AttributeValue

from .. import names
from ..call.ended import Verdict
from ..call.facts import Message
from ..call.record import Attempt
from ..names import errors
from .deferred import Key

Kind = tuple[str, str, str | None, bool | None]
"""Operation, provider, model and whether the call streams: what the contract calls A."""


Ending = tuple[str | int | None, ...]
"""Outcome, phase, failure, error type, error code and both status codes."""


def key_of(attributes: Iterable[str], values: Iterable[AttributeValue | None]) -> Key:
    """Returns the key with `attributes` and `values`, without those that have no value: absent is absent."""
    return tuple((name, value) for name, value in zip(attributes, values, strict=True) if value is not None)


@lru_cache(maxsize=4096)
def call_key(kind: Kind, ending: Ending, client: str | None = None) -> Key:
    """Returns the set of a point of `after200.calls`."""
    return key_of(names.CALLS.attributes, (*kind, *ending, client))


def ending_of(verdict: Verdict, wire_status: int | None) -> Ending:
    """Returns how a call ended, as far as it becomes labels: the message, say, differs from call to call."""
    return (
        verdict.outcome,
        verdict.phase,
        verdict.failure,
        verdict.error_type,
        verdict.error_code,
        reported_status(verdict, wire_status),
        wire_status,
    )


def reported_status(verdict: Verdict, wire_status: int | None) -> int | None:
    """Returns `http.response.status_code`: the corrected status of an error, the wire status of any other call."""
    return wire_status if verdict.error_type is None else verdict.status


@lru_cache(maxsize=1024)
def answer_key(kind: Kind, *values: AttributeValue | None) -> Key:
    """Returns the set of a point of `after200.answers`."""
    return key_of(names.ANSWERS_RECEIVED.attributes, (*kind, *values))


@lru_cache(maxsize=1024)
def attempt_key(provider: str, model: str | None, attempt: Attempt) -> Key:
    """Returns the set of a point of `after200.attempts`."""
    values = (provider, model, attempt.status, attempt.failure, attempt.error_type)
    return key_of(names.ATTEMPTS.attributes, values)


@lru_cache(maxsize=1024)
def model_key(provider: str, model: str | None, *more: AttributeValue | None, metric: names.Metric) -> Key:
    """Returns the set of a point of `metric`, whose attributes are provider, model and `more`."""
    return key_of(metric.attributes, (provider, model, *more))


@lru_cache(maxsize=1024)
def token_key(kind: Kind, outcome: str, token_type: str, detail: str | None) -> Key:
    """Returns the set of a point of `after200.tokens`."""
    return key_of(names.TOKENS.attributes, (*kind, outcome, token_type, detail))


@lru_cache(maxsize=1024)
def outcome_attributes(kind: Kind, outcome: str | None) -> dict[str, AttributeValue]:
    """Returns the set of a point that says which call it was, and what came of it where that matters."""
    return dict(key_of((*names.CALL_ATTRIBUTES, names.OUTCOME), (*kind, outcome)))


@lru_cache(maxsize=1024)
def inner_error_key(operation: str, provider: str, error_type: str) -> Key:
    """Returns the set of a point of `after200.inner_errors`."""
    row = errors.documented(error_type)
    status = None if row is None else row[0]
    values = (operation, provider, error_type, errors.failure_of(error_type), status)
    return key_of(names.INNER_ERRORS.attributes, values)


@lru_cache(maxsize=1024)
def convention_attributes(*values: AttributeValue | None) -> dict[str, AttributeValue]:
    """Returns the set that every `gen_ai.client.*` metric has; `values` are those of `names.CONVENTION_ATTRIBUTES`."""
    return dict(key_of(names.CONVENTION_ATTRIBUTES, values))


def token_parts(message: Message) -> list[tuple[str, str | None, int]]:
    """Returns how many tokens of each type and detail there are. All of them together are what is billed.

    A detail that is larger than its total is dropped, and so are all that are larger together; the total stands.
    """
    usage = message.usage
    details: dict[str, tuple[tuple[str, int | None], ...]] = {}
    if usage.thinking:
        details["output"] = (("thinking", usage.thinking),)
    if usage.ttl_5m or usage.ttl_1h:
        details["cache_write"] = (("ttl_5m", usage.ttl_5m), ("ttl_1h", usage.ttl_1h))
    parts: list[tuple[str, str | None, int]] = []
    for token_type, total in zip(names.TOKEN_TYPES, usage.tokens, strict=True):
        if not total:
            continue
        if token_type not in details:
            parts.append((token_type, None, total))
            continue
        known = [(detail, number) for detail, number in details[token_type] if number and number <= total]
        rest = total - sum(number for _, number in known)
        if rest < 0:
            known, rest = [], total
        parts += [(token_type, detail, number) for detail, number in known]
        if rest:
            parts.append((token_type, None, rest))
    if usage.compaction is not None:
        parts += [
            (token_type, "compaction", number)
            for token_type, number in zip(names.TOKEN_TYPES, usage.compaction, strict=True)
            if number
        ]
    return parts
