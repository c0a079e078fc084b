# SPDX-License-Identifier: Apache-2.0
"""The situations that the rules are tested in, as series, and what must fire in each. Texts are spelled out here."""

from __future__ import annotations

from .promtool import Case, Firing

MODEL = {
    "job": "chat",
    "gen_ai_provider_name": "anthropic",
    "gen_ai_request_model": "claude-sonnet-4-5",
}
PROCESS = {**MODEL, "instance": "chat-1"}
CALL = {**PROCESS, "gen_ai_operation_name": "chat", "gen_ai_request_stream": "true"}
WHERE = "chat, model claude-sonnet-4-5 at anthropic"


def labelled(name: str, labels: dict[str, str]) -> str:
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"


def calls(outcome: str, wire: str = "200", **labels: str) -> str:
    return labelled("after200_calls_total", {**CALL, "after200_outcome": outcome, **wire_status(wire), **labels})


def wire_status(status: str) -> dict[str, str]:
    return {"after200_wire_status_code": status} if status else {}


def failed(failure: str, error_type: str, status: str = "", wire: str = "200", phase: str = "mid_stream") -> str:
    corrected = {"http_response_status_code": status} if status else {}
    outcome = "truncated" if failure == "truncated" else "failed"
    return calls(outcome, wire, after200_phase=phase, after200_failure=failure, error_type=error_type, **corrected)


def attempts(wire: str, error_type: str = "") -> str:
    error = {"error_type": error_type} if error_type else {}
    return labelled("after200_attempts_total", {**PROCESS, **wire_status(wire), **error})


def gaps(part: str, **labels: str) -> str:
    name = f"after200_stream_longest_gap_seconds_{part}"
    return labelled(name, {**CALL, "after200_outcome": "completed", **labels})


COMPLETED = calls("completed", http_response_status_code="200")
OVERLOADED = failed("overloaded", "overloaded_error", "529")
OVERLOADED_VISIBLY = failed("overloaded", "overloaded_error", "529", wire="529", phase="request")
RATE_LIMITED = failed("rate_limited", "rate_limit_error", "429", wire="429", phase="request")
TRUNCATED = failed("truncated", "stream_truncated")
SERVER_ERROR = failed("server_error", "api_error", "500")
INVALID = failed("invalid_request", "invalid_request_error", "400", wire="400", phase="request")
CLOSED, CANCELLED, ABANDONED = calls("closed"), calls("cancelled"), calls("abandoned")
OPEN = labelled("after200_streams_open", PROCESS)

# --- what an alert looks like ----------------------------------------------------------------------------------------


def last(severity: str) -> str:
    return "(last 1m or 5m)" if severity == "critical" else "(last 5m)"


def hidden(share: str, severity: str = "warning") -> Firing:
    return Firing(
        "ClaudeHiddenFailures",
        {**MODEL, "severity": severity},
        "Calls to Claude fail after HTTP has answered 200.",
        f"{share} of the calls of {WHERE} failed after an HTTP status of 200. HTTP metrics and gateways count them as "
        f"successes {last(severity)}.",
    )


def overloaded(share: str, severity: str = "warning") -> Firing:
    return Firing(
        "ClaudeOverloaded",
        {**MODEL, "after200_failure": "overloaded", "severity": severity},
        "Claude is overloaded.",
        f"{share} of the calls of {WHERE} failed because the model is overloaded, before the stream (529, 503) or in "
        f"it "
        f"(behind a 200) {last(severity)}.",
    )


def rate_limited(share: str, severity: str = "warning") -> Firing:
    return Firing(
        "ClaudeRateLimited",
        {**MODEL, "after200_failure": "rate_limited", "severity": severity},
        "Claude refuses calls because a rate limit is reached.",
        f"{share} of the calls of {WHERE} failed because a rate limit or quota is reached, before the stream (429) or "
        f"in it "
        f"(behind a 200) {last(severity)}.",
    )


def truncated(share: str, severity: str = "warning") -> Firing:
    return Firing(
        "ClaudeTruncatedStreams",
        {**MODEL, "after200_failure": "truncated", "severity": severity},
        "Streams from Claude end without their end event, and nobody raises an error.",
        f"{share} of the calls of {WHERE} ended without message_stop and without an error. The application may have "
        f"taken "
        f"half an answer for a whole one {last(severity)}.",
    )


def stalls(share: str) -> Firing:
    return Firing(
        "ClaudeStreamStalls",
        {**MODEL, "severity": "warning"},
        "Streams from Claude stall.",
        f"{share} of the streams of {WHERE} had a gap of more than 10.24 s (last 5m).",
    )


def stuck(streams: int) -> Firing:
    return Firing(
        "ClaudeStreamsStuck",
        {**MODEL, "severity": "warning"},
        "Streams from Claude stay open and no call ends.",
        f"{streams} streams of {WHERE} are open, and no call has ended for 15m.",
    )


def abandoned(share: str) -> Firing:
    return Firing(
        "ClaudeAbandonedStreams",
        {**MODEL, "severity": "warning"},
        "The application drops streams from Claude without closing them.",
        f"{share} of the calls of {WHERE} were dropped without being read to the end or closed (last 5m). Connections "
        f"leak "
        "until the garbage collector comes by.",
    )


def retry_storm(share: str) -> Firing:
    return Firing(
        "ClaudeRetryStorm",
        {**MODEL, "severity": "warning"},
        "The SDK repeats a large share of its requests to Claude.",
        f"{share} of the HTTP requests of {WHERE} were answered with something that the SDK sends again, or not at all "
        "(last 5m). Calls take longer, and the retries add to the load.",
    )


def burn(share: str, long: str, short: str, times: str, severity: str) -> Firing:
    return Firing(
        "ClaudeErrorBudgetBurn",
        {**MODEL, "severity": severity, "long": long, "short": short},
        "Calls to Claude use up their error budget too fast.",
        f"{share} of the calls of {WHERE} failed over the last {long}, {times} times what an objective of 0.99 over "
        f"30d "
        "allows. Not counted: the caller's own mistakes.",
    )


ABSENT_JOB = Firing(
    "ClaudeTelemetryAbsent",
    {"job": "chat", "severity": "warning", "scope": "job"},
    "A job has stopped reporting its calls to Claude.",
    "chat has reported calls to Claude within the last 6h, and reports none now. Every other alert on it is blind.",
)
ABSENT_ALL = Firing(
    "ClaudeTelemetryAbsent",
    {"severity": "warning", "scope": "all"},
    "No job reports calls to Claude.",
    "There is no series job_call:after200_calls:sum, so none of after200_calls_total. Every other alert on calls to "
    "Claude is blind.",
)

FAILING_ALTOGETHER = (
    hidden("100%"),
    hidden("100%", "critical"),
    overloaded("100%"),
    overloaded("100%", "critical"),
)

# --- the situations --------------------------------------------------------------------------------------------------

CASES = (
    Case(
        "The first overload of a fresh process fires at once, even as its first call, and is over after the window",
        # Nothing for 2 minutes, then a process that is born with one failed call.
        {OVERLOADED: "_x8 1x60"},
        {"1m45s": (), "2m": (hidden("100%"), overloaded("100%")), "8m": ()},
    ),
    Case(
        "The first overload fires when its series was born at zero",
        {COMPLETED: "0 1 2+1x60", OVERLOADED: "0x8 1x60"},
        {"2m": (), "2m15s": (hidden("10%"), overloaded("10%")), "8m": ()},
    ),
    Case(
        "A model that fails every time pages, and burns its budget",
        {OVERLOADED: "_x4 0 1+1x80"},
        {
            "45s": (),
            "1m15s": (hidden("100%"), overloaded("100%")),
            # 19 calls do not page.
            "5m45s": (hidden("100%"), overloaded("100%")),
            "6m15s": FAILING_ALTOGETHER,
            "12m": FAILING_ALTOGETHER,
            "16m": FAILING_ALTOGETHER,
            "20m": (*FAILING_ALTOGETHER, burn("100%", "1h", "5m", "14.4", "critical")),
        },
    ),
    Case(
        "Shares are of the calls that were judged",
        {COMPLETED: "0+9x80", CLOSED: "0+50x80", SERVER_ERROR: "0x40 0+1x40"},
        {"9m": (), "16m": (hidden("10%"), hidden("10%", "critical"))},
    ),
    Case(
        "One failure among few calls warns, and does not page however long it lasts",
        # A call every 2.5 minutes, all of them truncated from the 15th minute on.
        {COMPLETED: "0x9 1x9 2x9 3x9 4x9 5x9 6x60", TRUNCATED: "0x60 1x9 2x9 3x9 4x9 5x9"},
        {"14m": (), "25m": (hidden("100%"), truncated("100%"))},
    ),
    Case(
        "A rare failure in much traffic stays silent",
        {COMPLETED: "0+1000x60", SERVER_ERROR: "0+5x60"},
        {"1m": (), "5m": (), "14m": ()},
    ),
    Case(
        "A restart fires nothing by itself, and the first overload after it fires",
        {COMPLETED: "100+1x39 0+1x60", OVERLOADED: "7x39 0x19 1x40"},
        {"9m30s": (), "10m15s": (), "14m": (), "15m": (hidden("4.762%"), overloaded("4.762%"))},
    ),
    Case(
        "A restart after a long pause is seen from its first call on",
        {OVERLOADED: "7x39 _x80 1x60"},
        {"9m30s": (), "29m": (), "30m": (hidden("100%"), overloaded("100%"))},
    ),
    Case(
        "Counters that come back as they were, after Prometheus was away, fire nothing",
        {COMPLETED: "0+98x20 1960x20 _x48 1960x60", OVERLOADED: "0+2x20 40x20 _x48 40x60"},
        {"0s": (), "4m": (hidden("2%"), overloaded("2%")), "11m": (), "22m30s": (), "23m": (), "28m": ()},
    ),
    Case(
        "Streams that the application closes or cancels fire nothing, those it abandons fire their own alert",
        {COMPLETED: "0+1x80", CLOSED: "0+3x80", CANCELLED: "0+3x80", ABANDONED: "0x40 0+1x40"},
        {"9m": (), "16m": (abandoned("12.5%"),)},
    ),
    Case(
        "An overload that HTTP admits is no hidden failure",
        {COMPLETED: "0+9x80", OVERLOADED_VISIBLY: "0x40 0+1x40"},
        {"9m": (), "16m": (overloaded("10%"),)},
    ),
    Case(
        "Rate limiting warns, then pages",
        {COMPLETED: "0+3x80", RATE_LIMITED: "0x40 1+1x40"},
        {
            "9m45s": (),
            "10m15s": (rate_limited("1.639%"),),
            "16m": (
                rate_limited("25%"),
                rate_limited("25%", "critical"),
            ),
        },
    ),
    Case(
        "Truncated streams warn, then page",
        {COMPLETED: "0+3x80", TRUNCATED: "0x40 1+1x40"},
        {
            "9m45s": (),
            "10m15s": (truncated("1.639%"), hidden("1.639%")),
            "16m": (
                truncated("25%"),
                truncated("25%", "critical"),
                hidden("25%"),
                hidden("25%", "critical"),
            ),
        },
    ),
    Case(
        "Stalled streams fire when there are enough streams to judge",
        {
            COMPLETED: "0+1x80",
            gaps("count"): "0+1x80",
            gaps("bucket", le="10.24"): "0+1x40 40x40",
            gaps("bucket", le="20.48"): "0+1x40 40x40",
        },
        {"9m": (), "16m": (stalls("100%"),)},
    ),
    Case(
        "Few stalled streams fire nothing",
        {gaps("count"): "0x20 1x60", gaps("bucket", le="10.24"): "0x80", COMPLETED: "0x20 1x60"},
        {"4m": (), "6m": (), "9m": ()},
    ),
    Case(
        "Streams that stay open while no call ends are stuck, and not while calls end",
        {COMPLETED: "0+1x79 80x100", OPEN: "3x180"},
        {"19m": (), "38m": (), "41m": (stuck(3),)},
    ),
    Case(
        "A retry storm fires although every call succeeds in the end",
        {COMPLETED: "0+1x80", attempts("200"): "0+1x80", attempts("529", "overloaded_error"): "0x40 0+1x40"},
        {"9m": (), "14m30s": (), "16m": (retry_storm("50%"),)},
    ),
    Case(
        "Attempts without any response count as refused, bad requests do not",
        {
            COMPLETED: "0+1x80",
            attempts("200"): "0+1x80",
            attempts("", "connection_error"): "0x40 0+1x40",
            attempts("400", "invalid_request_error"): "0+8x40 320x40",
        },
        {"9m": (), "18m": (retry_storm("50%"),)},
    ),
    Case(
        "The caller's own mistakes do not burn the budget",
        {COMPLETED: "0+1x80", INVALID: "0+9x80"},
        {"5m": (), "19m": ()},
    ),
    Case(
        "A job that stops reporting is missed, and nobody else is told so",
        {
            COMPLETED: "0+1x40 stale",
            labelled("after200_calls_total", {**CALL, "job": "other", "after200_outcome": "completed"}): "0+1x200",
        },
        {"9m": (), "24m": (), "26m": (ABSENT_JOB,)},
    ),
    Case(
        "When nobody reports, that is said as well",
        {'up{job="chat"}': "1x100"},
        {"14m": (), "16m": (ABSENT_ALL,)},
    ),
    Case(
        "A budget that burns steadily pages after hours, and warns over days",
        # An hour of health, then 8 % fail.
        {COMPLETED: "0+46x480", OVERLOADED_VISIBLY: "0x60 4+4x420"},
        {
            "55m": (),
            "2h": (overloaded("8%"),),
            "7h30m": (
                overloaded("8%"),
                burn("8%", "6h", "30m", "6", "critical"),
                burn("7.004%", "1d", "2h", "3", "warning"),
                burn("7.004%", "3d", "6h", "1", "warning"),
            ),
        },
        interval="1m",
    ),
    Case(
        "Failures among fewer calls than the budget needs do not burn it",
        # A call every 15 minutes fails: 4 in an hour, 24 in six.
        {SERVER_ERROR: " ".join(f"{n}x14" for n in range(24))},
        {"0s": (), "1h1m": (hidden("100%"),), "5h50m": ()},
        interval="1m",
    ),
)
