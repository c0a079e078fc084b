# SPDX-License-Identifier: Apache-2.0
"""What a request asks for: the options and the client of the SDK → a `Call`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ... import names
from ...call.limits import clean_name
from ...call.record import Call
from ..parameters import parameters_of
from .endpoints import find_endpoint, model_in_url, name_unrecorded_stream
from .objects import URL, Client, Options

_PROVIDERS: Final = (("Bedrock", names.BEDROCK), ("Vertex", names.VERTEX))
"""A part of the name of a client's class → `gen_ai.provider.name`; `anthropic` for every other client."""


def read_request(client: Client, options: Options, *, stream: bool) -> Call | None:
    """Returns the call that a request with `options` of `client` is; None for a request that is no call."""
    endpoint = find_endpoint(options.method, options.url)
    if endpoint is None:
        if stream:
            name_unrecorded_stream(options.method, options.url)
        return None
    body = request_body(options)
    provider = provider_name(client)
    host, port = server_of(client.base_url)
    return Call(
        operation=endpoint.operation,
        provider=provider,
        model=clean_name(body.get("model")) or model_in_url(endpoint, options.url),
        stream=stream,
        server_address=host,
        server_port=port,
        parameters=parameters_of(body),
        end_rule=endpoint.end_rule,
    )


def request_body(options: Options) -> Mapping[str, object]:
    """Returns the request's body as the SDK sends it: what the caller adds by `extra_body` goes over the rest."""
    body = options.json_data if isinstance(options.json_data, Mapping) else {}
    extra = getattr(options, "extra_json", None)
    return {**body, **extra} if extra and isinstance(extra, Mapping) else body


def requested_model(options: Options) -> str | None:
    """Returns the model that the body of an attempt names; None where the client moved it into the URL."""
    json_data = getattr(options, "json_data", None)
    return clean_name(json_data.get("model")) if isinstance(json_data, Mapping) else None


def provider_name(client: Client) -> str:
    """Returns `gen_ai.provider.name`, by the client's class or the class of the SDK that it extends."""
    return _provider_of(type(client))


@lru_cache(maxsize=256)
def _provider_of(client_class: type) -> str:
    for cls in client_class.__mro__:
        if cls.__module__.partition(".")[0] == "anthropic":
            for part, provider in _PROVIDERS:
                if part in cls.__name__:
                    return provider
    return names.ANTHROPIC


def sdk_traces(client: Client) -> bool:
    """Returns whether the SDK is about to make a span of its own for a call of `client` (1.14 and later)."""
    module = sys.modules.get("anthropic._base_client")
    return getattr(client, "_tracer", None) is not None and hasattr(module, "start_api_call_span")


def server_of(base_url: URL) -> tuple[str | None, int | None]:
    """Returns `server.address` and `server.port`; a client that finds its server when it sends has none yet."""
    if not base_url.host:
        return None, None
    return base_url.host, base_url.port or (80 if base_url.scheme == "http" else 443)
