# SPDX-License-Identifier: Apache-2.0
"""The metrics are those of section 5 of the contract, written out a second time."""

from __future__ import annotations

import re
from typing import get_args

from after200 import names

CALL = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.request.stream")
MODEL = ("gen_ai.provider.name", "gen_ai.request.model")
CONVENTIONS = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
)
CONTRACT = {
    "after200.calls": (
        "counter",
        "{call}",
        (
            *CALL,
            "after200.outcome",
            "after200.phase",
            "after200.failure",
            "error.type",
            "after200.error.code",
            "http.response.status_code",
            "after200.wire.status_code",
            "after200.client",
        ),
    ),
    "after200.answers": (
        "counter",
        "{answer}",
        (
            *CALL,
            "after200.answer",
            "anthropic.message.stop_reason",
            "after200.refusal.category",
            "after200.fallback",
            "anthropic.response.service_tier",
            "anthropic.response.speed",
        ),
    ),
    "after200.server_tool.calls": ("counter", "{call}", (*MODEL, "gen_ai.tool.name", "error.type")),
    "after200.attempts": (
        "counter",
        "{attempt}",
        (*MODEL, "after200.wire.status_code", "after200.failure", "error.type"),
    ),
    "after200.retry.wait": ("counter", "s", (*MODEL, "after200.failure")),
    "after200.tokens": (
        "counter",
        "{token}",
        (*CALL, "after200.outcome", "gen_ai.token.type", "after200.token.detail"),
    ),
    "after200.rate_limit.utilization": ("gauge", "1", (*MODEL, "after200.rate_limit.kind")),
    "after200.rate_limit.limit": ("gauge", "1", (*MODEL, "after200.rate_limit.kind")),
    "after200.stream.longest_gap": ("histogram", "s", (*CALL, "after200.outcome")),
    "after200.stream.time_to_first_text": ("histogram", "s", CALL),
    "after200.streams.open": ("up_down_counter", "{stream}", ("gen_ai.provider.name", "gen_ai.request.model")),
    "gen_ai.client.operation.duration": (
        "histogram",
        "s",
        (*CONVENTIONS, "error.type", "http.response.status_code"),
    ),
    "gen_ai.client.operation.time_to_first_chunk": ("histogram", "s", CONVENTIONS),
    "gen_ai.client.operation.time_per_output_chunk": ("histogram", "s", CONVENTIONS),
    "gen_ai.client.token.usage": ("histogram", "{token}", (*CONVENTIONS, "gen_ai.token.type")),
}
BEYOND_THE_CONTRACT = {
    "after200.inner_errors": (
        "counter",
        "{error}",
        (
            "gen_ai.operation.name",
            "gen_ai.provider.name",
            "error.type",
            "after200.failure",
            "http.response.status_code",
        ),
    ),
}


NOT_ATTRIBUTES = ("EXCEPTION_EVENT", "SCHEMA_URL", "BEDROCK", "VERTEX")


def test_every_metric_is_as_the_contract_has_it() -> None:
    assert {**CONTRACT, **BEYOND_THE_CONTRACT} == {
        metric.name: (metric.kind, metric.unit, metric.attributes) for metric in names.METRICS
    }


def test_the_allowed_values_are_the_contract_s() -> None:
    assert ("completed", "failed", "truncated", "closed", "cancelled", "abandoned") == tuple(names.OUTCOMES)
    assert ("request", "first_chunk", "mid_stream") == tuple(names.PHASES)
    assert ("complete", "cut", "refused", "paused", "guarded", "empty", "other") == tuple(names.ANSWERS)
    assert ("ttl_5m", "ttl_1h", "thinking", "compaction") == tuple(names.TOKEN_DETAILS)
    for described, values in (
        (names.OUTCOMES, names.Outcome),
        (names.PHASES, names.Phase),
        (names.FAILURES, names.Failure),
        (names.ANSWERS, names.Answer),
    ):
        assert get_args(values) == tuple(described)
    assert ("input", "output", "cache_read", "cache_write") == names.TOKEN_TYPES
    assert "_OTHER" == names.OTHER


def test_every_name_is_one_of_the_conventions_the_provider_s_or_the_package_s_own() -> None:
    """A name of the conventions cannot be misspelt in the package's own namespace, nor the other way round."""
    attributes = {
        value
        for name, value in vars(names).items()
        if name.isupper() and isinstance(value, str) and "." in value and name not in NOT_ATTRIBUTES
    }
    own = {attribute for attribute in attributes if attribute.startswith("after200.")}
    assert {
        "after200.client",
        "after200.outcome",
        "after200.phase",
        "after200.failure",
        "after200.retryable",
        "after200.error.code",
        "after200.wire.status_code",
        "after200.answer",
        "after200.refusal.category",
        "after200.fallback",
        "after200.stream.chunks",
        "after200.stream.longest_gap",
        "after200.stream.time_to_first_text",
        "after200.retry.wait",
        "after200.server_tool.errors",
        "after200.token.detail",
        "after200.rate_limit.kind",
    } == own
    others = re.compile(
        r"gen_ai\.|server\.|http\.re|error\.type$|exception\.|anthropic\.(request\.id|message\.stop_reason|response\.(service_tier|speed))$|aws\.bedrock\."
    )
    assert [] == sorted(attribute for attribute in attributes - own if not others.match(attribute))


def test_a_histogram_has_the_conventions_buckets_and_nothing_else_has_any() -> None:
    for metric in names.METRICS:
        assert (metric.kind == "histogram") == (metric.buckets is not None), metric.name
        assert metric.buckets in (None, names.DURATION_BUCKETS, names.TOKEN_BUCKETS)
        assert (metric.unit == "{token}" and metric.kind == "histogram") == (metric.buckets is names.TOKEN_BUCKETS)
