# SPDX-License-Identifier: Apache-2.0
"""What of the SDK is patched, as one table."""

from __future__ import annotations

from ...call.observer import CallObserver
from ...settings import Settings
from ..patches import Target
from . import native, streams
from .requests import RequestHooks


def targets(observer: CallObserver, settings: Settings) -> list[Target]:
    """Returns every target, in the order in which a call meets them."""
    hooks = RequestHooks(observer, correct_exceptions=settings.correct_exceptions)
    client, stream, response = "anthropic._base_client", "anthropic._streaming", "anthropic._response"
    helper, bedrock = "anthropic.lib.streaming._messages", "anthropic.lib.bedrock._stream_decoder"
    early = "that a stream was closed, until its body is closed"
    return [
        Target(client, "SyncAPIClient.request", hooks.request, "every call of sync clients"),
        Target(client, "AsyncAPIClient.request", hooks.arequest, "every call of async clients"),
        Target(client, "BaseClient._build_request", hooks.build_request, "the attempts of a call"),
        Target(client, "BaseClient._should_retry", hooks.should_retry, "the status of an attempt that is retried"),
        Target(client, "BaseClient._calculate_retry_timeout", hooks.retry_timeout, "lost attempts and retry waits"),
        Target(client, "SyncAPIClient._process_response", hooks.process_response, "the request id of sync messages"),
        Target(client, "AsyncAPIClient._process_response", hooks.process_response, "the request id of async messages"),
        Target(stream, "Stream.__stream__", streams.stream, "exceptions that the SDK raises from sync streams"),
        Target(stream, "AsyncStream.__stream__", streams.astream, "exceptions that the SDK raises from async streams"),
        Target(stream, "Stream._iter_events", streams.iter_events, "nothing: the bytes are read instead"),
        Target(stream, "AsyncStream._iter_events", streams.aiter_events, "nothing: the bytes are read instead"),
        Target(stream, "Stream.close", streams.close, early),
        Target(stream, "AsyncStream.close", streams.close, early),
        # A raw response that is closed while a generator is being left was closed by the application all the same.
        Target(response, "APIResponse.close", streams.close, early, required=False),
        Target(response, "AsyncAPIResponse.close", streams.close, early, required=False),
        # Before 0.43 the helpers close the response, and no stream.
        Target(helper, "MessageStream.close", streams.close, early, required=False),
        Target(helper, "AsyncMessageStream.close", streams.close, early, required=False),
        Target(
            bedrock,
            "AWSEventStreamDecoder._parse_message_from_event",
            streams.parse_frame,
            "the error types of streams from Amazon Bedrock",
        ),
        Target(client, "start_api_call_span", native.start_span, "what the SDK's own span says", required=False),
        Target(client, "finish_api_call_span", native.finish_span, "what the SDK's own span says", required=False),
        Target("anthropic._tracing", "FirstEnd.end", native.end_body, "what the SDK's own span says", required=False),
    ]
