# SPDX-License-Identifier: Apache-2.0
"""The situations that the rules are tested in, as series, and what must fire in each. Texts are spelled out here."""

from __future__ import annotations

from after200.monitoring.windows import seconds

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


def sure(failures: float, calls: float) -> str:
    """The share that a page names: what is left of the failures when twice their standard deviation is taken out."""
    return f"{100 * (failures - 2 * failures**0.5) / calls:.4g}%"


def growing(*stretches: tuple[int, int], start: int = 0) -> str:
    """A counter as promtool writes it: for so many steps, by so much at each."""
    values = [start]
    for steps, by in stretches:
        values += [values[-1] + by * step for step in range(1, steps + 1)]
    return " ".join(map(str, values))


def symptom(name: str, alert: str, summary: str, what: str, share: str, severity: str, last_true: str = "") -> Firing:
    """What a symptom's alert looks like; the share of a page is what is left when luck is taken out."""
    says, windows = f"{share} of the calls of {WHERE} {what}", "last 1m, 2m or 5m; what chance explains is left out"
    description = f"At least {says} ({windows})." if severity == "critical" else f"{says} (last 5m)."
    labels = {**MODEL, "symptom": name, "severity": severity}
    return Firing(alert, labels, summary, description, last_true=last_true)


def hidden(share: str, severity: str = "warning") -> Firing:
    return symptom(
        "hidden",
        "ClaudeHiddenFailures",
        "Calls to Claude fail after HTTP has answered 200.",
        "failed after an HTTP status of 200. HTTP metrics and gateways count them as successes",
        share,
        severity,
    )


def overloaded(share: str, severity: str = "warning") -> Firing:
    return symptom(
        "overloaded",
        "ClaudeOverloaded",
        "Claude is overloaded.",
        "failed because the model is overloaded, before the stream (529, 503) or in it (behind a 200)",
        share,
        severity,
    )


def rate_limited(share: str, severity: str = "warning") -> Firing:
    return symptom(
        "rate_limited",
        "ClaudeRateLimited",
        "Claude refuses calls because a rate limit is reached.",
        "failed because a rate limit or quota is reached, before the stream (429) or in it (behind a 200)",
        share,
        severity,
    )


def truncated(share: str, severity: str = "warning") -> Firing:
    return symptom(
        "truncated",
        "ClaudeTruncatedStreams",
        "Streams from Claude end without their end event, and nobody raises an error.",
        "ended without message_stop and without an error. The application may have taken half an answer for a whole "
        "one",
        share,
        severity,
    )


def server_errors(share: str, severity: str = "warning", last_true: str = "") -> Firing:
    return symptom(
        "server_errors",
        "ClaudeServerErrors",
        "Calls to Claude fail: server errors, timeouts, or connections that fail.",
        "failed with a server error (5xx), a timeout, a failed connection or an answer that cannot be read, before the "
        "stream or in it (behind a 200)",
        share,
        severity,
        last_true,
    )


def rejected(share: str, severity: str = "warning") -> Firing:
    return symptom(
        "rejected",
        "ClaudeCallsRejected",
        "Claude rejects calls: the key, the model or the request is wrong.",
        "were rejected: not allowed (401, 403), no such model (404), or another mistake in the request (any other "
        "4xx). This is not the provider's doing: a key was revoked, a model retired, or a part of your own service "
        "sends what cannot work",
        share,
        severity,
    )


def down(named: str, last_true: str = "") -> Firing:
    return Firing(
        "ClaudeDown",
        {**MODEL, "severity": "critical"},
        "Claude does not answer: most calls fail.",
        f"More than 50 % of the calls of {WHERE} fail, or, where calls are rare, 5 have failed and none has succeeded. "
        f"In the last 5m: {named}.",
        last_true=last_true,
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
    reach = int(seconds(long))
    return Firing(
        "ClaudeErrorBudgetBurn",
        {**MODEL, "severity": severity, "long": long, "short": short},
        "Calls to Claude use up their error budget too fast.",
        f"{share} of the calls of {WHERE} failed over the last {long}, {times} times what an objective of 0.99 over "
        f"30d "
        "allows. Not counted: the caller's own mistakes (invalid_request, denied, billing).",
        reach,
    )


ABSENT_JOB = Firing(
    "ClaudeTelemetryAbsent",
    {"job": "chat", "severity": "warning", "scope": "job"},
    "A job has stopped reporting its calls to Claude.",
    "chat has reported calls to Claude within the last 6h, and reports none now. Every other alert on it is blind.",
    6 * 3600,
)
ABSENT_ALL = Firing(
    "ClaudeTelemetryAbsent",
    {"severity": "warning", "scope": "all"},
    "No job reports calls to Claude.",
    "There is no series job_call:after200_calls:sum, so none of after200_calls_total. Every other alert on calls to "
    "Claude is blind.",
    6 * 3600,
)

FAILING_ALTOGETHER = (
    hidden("100%"),
    overloaded("100%"),
    overloaded(sure(20, 20), "critical"),
    down("overloaded (20 calls)"),
)

REJECTED = (rejected("90%"), rejected(sure(180, 200), "critical"), down("invalid_request (180 calls)"))

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
        "A model of a fresh process that fails every time is down after five calls, and pages by its own name",
        {OVERLOADED: "_x4 0 1+1x80"},
        {
            "45s": (),
            "1m15s": (hidden("100%"), overloaded("100%")),
            "2m": (hidden("100%"), overloaded("100%")),
            "2m15s": (
                hidden("100%"),
                overloaded("100%"),
                overloaded(sure(5, 5), "critical"),
                down("overloaded (5 calls)"),
            ),
            "12m": FAILING_ALTOGETHER,
            "20m": FAILING_ALTOGETHER,
        },
    ),
    Case(
        "Shares are of the calls that were judged",
        {COMPLETED: "0+9x80", CLOSED: "0+50x80", SERVER_ERROR: "0x40 0+1x40"},
        {"9m": (), "16m": (hidden("10%"), server_errors("10%"), server_errors(sure(20, 200), "critical"))},
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
        {OVERLOADED: "3x39 _x80 1x60"},
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
        {"9m": (), "16m": (overloaded("10%"), overloaded(sure(20, 200), "critical"))},
    ),
    Case(
        "Rate limiting warns, then pages",
        {COMPLETED: "0+3x80", RATE_LIMITED: "0x40 1+1x40"},
        {
            "9m45s": (),
            "10m15s": (rate_limited("1.639%"),),
            "16m": (
                rate_limited("25%"),
                rate_limited(sure(20, 80), "critical"),
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
                truncated(sure(20, 80), "critical"),
                hidden("25%"),
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
        "The caller's own mistakes page under a name of their own, and do not burn the budget",
        {COMPLETED: "0+1x80", INVALID: "0+9x80"},
        {"0s": (), "5m": REJECTED, "19m": REJECTED},
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
        "A budget that burns steadily pages after hours",
        # An hour of health, then 8 % fail.
        {COMPLETED: "0+46x480", OVERLOADED_VISIBLY: "0x60 4+4x420"},
        {
            "55m": (),
            "2h": (overloaded("8%"),),
            "7h30m": (overloaded("8%"), burn("8%", "6h", "30m", "6", "critical")),
        },
        interval="1m",
    ),
    Case(
        "A fifth of few calls is too little evidence for a page of its own, and burns the budget of an hour",
        # An hour of health, then one call of five in a minute fails.
        {COMPLETED: growing((60, 5), (60, 4)), OVERLOADED_VISIBLY: growing((60, 0), (60, 1))},
        {
            "55m": (),
            "1h30m": (overloaded("20%"),),
            "2h": (overloaded("20%"), burn("19.02%", "1h", "5m", "14.4", "critical")),
        },
        interval="1m",
    ),
    Case(
        "A budget that burns slowly warns once half of the long window has data, and no sooner",
        {COMPLETED: "0+96x500", OVERLOADED_VISIBLY: "0+4x500"},
        {
            "0s": (),
            "11h": (overloaded("4%"),),
            "13h30m": (overloaded("4%"), burn("4%", "1d", "2h", "3", "warning")),
            "35h": (overloaded("4%"), burn("4%", "1d", "2h", "3", "warning")),
            "40h": (
                overloaded("4%"),
                burn("4%", "1d", "2h", "3", "warning"),
                burn("4%", "3d", "6h", "1", "warning"),
            ),
        },
        interval="5m",
    ),
    Case(
        "Failures behind a 200 that no alert of their own names page together",
        # Of 25 calls at each step one is overloaded, and one is truncated.
        {COMPLETED: "0+23x80", OVERLOADED: "0x40 0+1x40", TRUNCATED: "0x40 0+1x40"},
        {
            "9m45s": (),
            "16m": (
                overloaded("4%"),
                truncated("4%"),
                hidden("8%"),
                hidden(sure(40, 500), "critical"),
            ),
        },
    ),
    Case(
        "Where calls are rare, a model is down when five have failed and none has succeeded for ten minutes",
        # A call every two minutes. The last success is at 30m, the first failure at 32m, the next success at 62m.
        {
            COMPLETED: growing(*((7, 0), (1, 1)) * 15, (120, 0), *((7, 0), (1, 1)) * 5),
            OVERLOADED_VISIBLY: growing((120, 0), *((7, 0), (1, 1)) * 15, (40, 0)),
        },
        {
            "30m": (),
            "39m45s": (overloaded("100%"),),
            "40m": (overloaded("100%"), down("overloaded (3 calls)")),
            "55m": (overloaded("100%"), down("overloaded (2 calls)")),
            "1h1m45s": (overloaded("100%"), down("overloaded (2 calls)")),
            # It is over with the first success, and kept for two minutes.
            "1h2m": (overloaded("66.67%"), down("overloaded (2 calls)", "1h1m45s")),
            "1h4m": (overloaded("33.33%"),),
        },
    ),
    Case(
        "Failures among fewer calls than the budget needs do not burn it",
        # A call every 15 minutes fails: 4 in an hour, 24 in six.
        {SERVER_ERROR: " ".join(f"{n}x14" for n in range(24))},
        {"0s": (), "1h1m": (hidden("100%"), server_errors("100%")), "5h50m": ()},
        interval="1m",
    ),
)
