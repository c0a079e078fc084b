# SPDX-License-Identifier: Apache-2.0
"""`classify` for exceptions of LiteLLM, botocore and the HTTP libraries: as the real ones have been seen."""

from __future__ import annotations

import aiohttp
import httpx
import pytest
import requests
from botocore.exceptions import ClientError, EventStreamError, ReadTimeoutError
from yarl import URL

from after200 import Failure, classify

DOCUMENT = '{"type":"error","error":{"type":"rate_limit_error","message":"Your organization\'s limit"}}'
OVERLOADED = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'


def litellm(name: str, message: str, status: int | None, cause: BaseException | None = None) -> Exception:
    """An exception as LiteLLM raises it, which is not installed here."""
    error: Exception = type(name, (Exception,), {"__module__": "litellm.exceptions", "status_code": status})(message)
    error.__cause__ = cause
    return error


REQUEST = httpx.Request("POST", "http://x/v1/messages")
HTTP_529 = httpx.Response(529, content=OVERLOADED, request=REQUEST)
OTHER = Failure("other", "_OTHER", None, None, False)


def requests_error() -> requests.HTTPError:
    response = requests.Response()
    response.status_code, response._content = 529, OVERLOADED
    return requests.HTTPError("529", response=response)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            litellm("RateLimitError", f"litellm.RateLimitError: AnthropicException - {DOCUMENT.encode()!r}", 429),
            Failure("rate_limited", "rate_limit_error", None, 429, True),
        ),
        (
            litellm("InternalServerError", "no", 500, litellm("AnthropicError", OVERLOADED.decode(), 529)),
            Failure("overloaded", "overloaded_error", None, 529, True),
        ),
        (
            litellm("InternalServerError", "no", 500, litellm("AnthropicError", "x", 529)),
            Failure("overloaded", "529", None, 529, True),
        ),
        (litellm("MidStreamFallbackError", "AnthropicError - Overloaded", 500), OTHER),
        (litellm("MidStreamFallbackError", "throttled", 429), Failure("rate_limited", "429", None, 429, True)),
        (
            litellm("MidStreamFallbackError", f"AnthropicError - {OVERLOADED.decode()}", 500),
            Failure("overloaded", "overloaded_error", None, 529, True),
        ),
        (
            litellm("MidStreamFallbackError", "reset", 500, httpx.ReadError("reset")),
            Failure("connection", "connection_error", None, None, True),
        ),
        (
            litellm("Timeout", "timed out", 408, httpx.ReadTimeout("timed out")),
            Failure("timeout", "client_timeout_error", None, None, True),
        ),
        (
            ClientError(
                {
                    "Error": {"Code": "ThrottlingException", "Message": "slow"},
                    "ResponseMetadata": {"HTTPStatusCode": 429},
                },  # type: ignore[typeddict-item]
                "Converse",
            ),
            Failure("rate_limited", "ThrottlingException", None, 429, True),
        ),
        (
            ClientError({"Error": {"Code": "529"}, "ResponseMetadata": {"HTTPStatusCode": 529}}, "Converse"),  # type: ignore[typeddict-item]
            Failure("overloaded", "529", None, 529, True),
        ),
        (
            EventStreamError({"Error": {"Code": "throttlingException", "Message": "slow"}}, "ConverseStream"),
            Failure("rate_limited", "throttlingException", None, 429, True),
        ),
        (
            ReadTimeoutError(endpoint_url="http://x", error="timed out"),
            Failure("timeout", "client_timeout_error", None, None, True),
        ),
        (
            httpx.HTTPStatusError("529", request=REQUEST, response=HTTP_529),
            Failure("overloaded", "overloaded_error", None, 529, True),
        ),
        (requests_error(), Failure("overloaded", "overloaded_error", None, 529, True)),
        (
            aiohttp.ClientResponseError(
                aiohttp.RequestInfo(URL("http://x"), "POST", {}, URL("http://x")), (), status=503
            ),  # type: ignore[arg-type]
            Failure("overloaded", "503", None, 503, True),
        ),
        (requests.ReadTimeout("slow"), Failure("timeout", "client_timeout_error", None, None, True)),
        (requests.ConnectionError("lost"), Failure("connection", "connection_error", None, None, True)),
        (aiohttp.ServerTimeoutError("slow"), Failure("timeout", "client_timeout_error", None, None, True)),
        (aiohttp.ClientPayloadError("lost"), Failure("connection", "connection_error", None, None, True)),
        (
            aiohttp.ClientPayloadError("400, message:\n  Can not decode content-encoding: gzip"),  # As 3.9 has it.
            Failure("malformed", "stream_malformed", None, None, False),
        ),
        (requests.exceptions.ContentDecodingError("x"), Failure("malformed", "stream_malformed", None, None, False)),
    ],
)
def test_an_exception_is_classified_by_what_it_carries(error: BaseException, failure: Failure) -> None:
    assert failure == classify(error)
