# SPDX-License-Identifier: Apache-2.0
"""`classify` says of an exception what is recorded of the call that raised it, on every SDK and over a real socket."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import anthropic
import pytest

from after200 import Failure, classify, names
from after200.faults import FaultServer
from after200.testing import RecordedTelemetry

from ..support.patience import PATIENCE_S

ASK: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello?"}],
}
SPEND_LIMIT = "enforced_spend_limit_reached"

OVERLOADED = Failure("overloaded", "overloaded_error", None, 529, True)
RATE_LIMITED = Failure("rate_limited", "rate_limit_error", None, 429, True)
SERVER_ERROR = Failure("server_error", "api_error", None, 500, True)
CONNECTION = Failure("connection", "connection_error", None, None, True)
TIMEOUT = Failure("timeout", "client_timeout_error", None, None, True)
MALFORMED = Failure("malformed", "stream_malformed", None, None, False)
BILLING = Failure("billing", "rate_limit_error", SPEND_LIMIT, 429, False)
OTHER = Failure("other", names.OTHER, None, None, False)

STREAMED: dict[str, Failure] = {
    "overloaded_error_first_event": OVERLOADED,
    "overloaded_error_mid_stream": OVERLOADED,
    "overloaded_error_after_message_stop": OVERLOADED,
    "overloaded_mid_stream_no_retry": OVERLOADED,  # a header of the 200 says nothing of what follows
    "rate_limit_error_mid_stream": RATE_LIMITED,
    "api_error_mid_stream": SERVER_ERROR,
    "billing_error_mid_stream": Failure("billing", "billing_error", None, 402, False),
    "permission_error_mid_stream": Failure("denied", "permission_error", None, 403, False),
    "timeout_error_mid_stream": Failure("timeout", "timeout_error", None, 504, True),
    "request_too_large_mid_stream": Failure("invalid_request", "request_too_large", None, 413, False),
    "enforced_spend_limit_reached_mid_stream": BILLING,
    "unknown_error_mid_stream": Failure("other", "quantum_flux_error", None, None, False),
    "error_not_json": OTHER,
    "error_is_string": OTHER,
    "error_type_unknown": OTHER,
    "gzip_absent": MALFORMED,
    "not_json_mid_stream": MALFORMED,
    "reset_mid_stream": CONNECTION,
    "reset_before_response": CONNECTION,
    "stall_mid_stream": TIMEOUT,
    "http_529": OVERLOADED,
    "http_503": Failure("overloaded", "overloaded_error", None, 503, True),
    "http_529_html": Failure("overloaded", "529", None, 529, True),
    "http_529_no_retry": OVERLOADED._replace(retryable=False),
    "http_400_retry": Failure("invalid_request", "invalid_request_error", None, 400, True),
    "http_429_enforced_spend_limit_reached": BILLING,
    "bedrock_throttlingException_mid": Failure("rate_limited", "throttlingException", None, 429, True),
    "bedrock_throttlingException_first": Failure("rate_limited", "throttlingException", None, 429, True),
    "bedrock_error_frame": Failure("rate_limited", "throttlingException", None, 429, True),
    "bedrock_bad_crc": MALFORMED,
    "bedrock_http_429": Failure("rate_limited", "ThrottlingException", None, 429, True),
}
WHOLE: dict[str, Failure] = {
    "body_empty_200": MALFORMED,
    "half_chunk": CONNECTION,
    "http_413": Failure("invalid_request", "request_too_large", None, 413, False),
    "http_529": OVERLOADED,
    "reset_before_response": CONNECTION,
    "stall_before_response": TIMEOUT,
}
STRICT: dict[str, Failure] = {
    "body_error_200": OVERLOADED,
    "body_message_only_200": MALFORMED,
}
"""What a client says that is told to validate what it receives."""


def exception_of(module: str, name: str, base: type[Exception] = Exception) -> type[Exception]:
    return type(name, (base,), {"__module__": module})


def client(server: FaultServer, scenario: str, **options: Any) -> Any:
    options |= {"base_url": server.base_url(scenario), "max_retries": 0}
    if scenario.startswith("bedrock"):
        return anthropic.AnthropicBedrock(
            aws_access_key="none", aws_secret_key="none", aws_region="us-east-1", **options
        )
    return anthropic.Anthropic(api_key="none", **options)


def raised_by(claude: Any, *, stream: bool) -> Exception:
    # Up to 0.40 a timeout of the client does not hold for calls that do not stream; that of a request does.
    ask = ASK | {"timeout": 1.0 if "stall" in str(claude.base_url) else PATIENCE_S}
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any exception that the SDK and its HTTP client raise
        for _ in claude.messages.create(**ask, stream=stream) if stream else [claude.messages.create(**ask)]:
            pass
    return caught.value


def recorded(telemetry: RecordedTelemetry) -> Failure:
    [call] = telemetry.calls
    assert call.failure is not None
    assert call.error_type is not None
    assert call.retryable is not None
    code = call.attributes.get(names.ERROR_CODE)
    return Failure(call.failure, call.error_type, code, call.status, call.retryable)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scenario", "expected", "stream", "strict"),
    [
        *((scenario, failure, True, False) for scenario, failure in STREAMED.items()),
        *((scenario, failure, False, False) for scenario, failure in WHOLE.items()),
        *((scenario, failure, False, True) for scenario, failure in STRICT.items()),
    ],
)
def test_an_exception_is_classified_as_its_call_is_recorded(
    server: FaultServer, scenario: str, expected: Failure, stream: bool, strict: bool
) -> None:
    claude = client(server, scenario, **({"_strict_response_validation": True} if strict else {}))
    with RecordedTelemetry() as telemetry:
        error = raised_by(claude, stream=stream)
    assert expected == classify(error)
    assert expected == recorded(telemetry)


def test_a_corrected_exception_is_classified_alike(server: FaultServer) -> None:
    with RecordedTelemetry(correct_exceptions=True):
        error = raised_by(client(server, "overloaded_mid_stream_no_retry"), stream=True)
    assert 529 == error.status_code  # type: ignore[attr-defined]
    assert OVERLOADED == classify(error)


async def test_the_exceptions_of_the_async_client_are_classified_alike(server: FaultServer) -> None:
    for scenario in ("overloaded_error_mid_stream", "reset_mid_stream", "http_529"):
        async with anthropic.AsyncAnthropic(
            api_key="none", base_url=server.base_url(scenario), max_retries=0
        ) as claude:
            with pytest.raises(Exception) as caught:  # noqa: PT011
                async for _ in await claude.messages.create(**ASK, stream=True):
                    pass
        assert STREAMED[scenario] == classify(caught.value), scenario


@pytest.mark.parametrize(
    "error",
    [
        asyncio.CancelledError(),
        KeyboardInterrupt(),
        SystemExit(1),
        GeneratorExit(),
        exception_of("my_service.limits", "JobTimeout", TimeoutError)(),
        exception_of("tenacity", "RetryError")(),
        ValueError("x"),
        KeyError("x"),
        ZeroDivisionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_no_failure_of_a_call_is_none(error: BaseException) -> None:
    assert None is classify(error)


def test_what_the_application_raised_under_the_sdk_is_none() -> None:
    error = exception_of("anthropic._exceptions", "APIConnectionError")()
    error.__cause__ = exception_of("my_service.limits", "JobTimeout", TimeoutError)()
    assert None is classify(error)


@pytest.mark.parametrize(
    "message",
    [
        "Bad response code, expected 200: __import__('os').getcwd()",
        "Bad response code, expected 200: {'headers': 7}",
        "Bad response code, expected 200: {'headers': {':message-type': 'exception'}, 'body': b'{'}",
        "Bad response code, expected 200: " + "(" * 5000,
        "invalid literal for int() with base 10: 'x'",
    ],
)
def test_a_value_error_that_holds_no_frame_is_no_failure(message: str) -> None:
    assert None is classify(ValueError(message))


@pytest.mark.parametrize("body", ['b\'{"message": "Too many tokens"}\'', "b''"])
def test_a_frame_of_bedrock_is_read_in_the_exception_of_an_sdk_before_1_7(body: str) -> None:
    headers = "{':message-type': 'exception', ':exception-type': 'throttlingException'}"
    frame = f"{{'status_code': 400, 'headers': {headers}, 'body': {body}}}"
    error = ValueError(f"Bad response code, expected 200: {frame}")
    assert Failure("rate_limited", "throttlingException", None, 429, True) == classify(error)


def test_an_undocumented_type_is_not_bounded() -> None:
    types = [f"made_up_{number}_error" for number in range(60)]
    body = exception_of("anthropic._exceptions", "APIStatusError")
    errors = []
    for error_type in types:
        error: Any = body()
        error.status_code, error.body = 200, {"type": "error", "error": {"type": error_type, "message": "?"}}
        errors.append(error)
    assert types == [failure.error_type for failure in map(classify, errors) if failure is not None]


@pytest.mark.parametrize(("wrong", "named"), [(None, "NoneType"), ("overloaded", "str"), (ValueError, "type")])
def test_what_is_no_exception_is_refused(wrong: Any, named: str) -> None:
    with pytest.raises(TypeError, match=rf"classify\(\) takes the exception that a call raised, not {named}"):
        classify(wrong)


def test_neither_the_sdk_nor_opentelemetry_is_imported() -> None:
    program = (
        "import sys\n"
        "from after200 import classify\n"
        "assert classify(ConnectionResetError()).failure == 'connection'\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('opentelemetry', 'anthropic', 'wrapt')])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (0, "[]\n") == (finished.returncode, finished.stdout), finished.stderr
