# SPDX-License-Identifier: Apache-2.0
"""The dashboard *After the 200*: what HTTP claims, what happened, and everything about the difference."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common as c
from grafana_foundation_sdk.models import common as cm

from after200 import names
from after200.monitoring import colors, failed_calls, places, tables
from after200.monitoring import panels as p
from after200.monitoring.alerts import all_alerts
from after200.monitoring.boards import by_caller
from after200.monitoring.boards.after_the_200_details import (
    NO_FAILURES,
    NO_HIDDEN,
    by_client,
    inside,
    left,
    origins,
    statuses,
)
from after200.monitoring.boards.counts import Counts
from after200.monitoring.boards.frame import FIRING, Board, Row
from after200.monitoring.policy import BELOW_400, ERRORS, USABLE_ANSWERS, Policy
from after200.monitoring.promql import equals, matches, one_of
from after200.monitoring.symptoms import HIDDEN_MATCHERS, JUDGED_MATCHERS
from after200.monitoring.tables import Column

CLAIMED = (*JUDGED_MATCHERS, matches(names.WIRE_STATUS, BELOW_400))
COMPLETED = equals(names.OUTCOME, "completed")
FAILED = one_of(names.OUTCOME, ERRORS)

JUDGED_TEXT = "Of the calls that completed, failed or were truncated; not of those that the application left by itself."


def dashboard(policy: Policy) -> Board:
    calls = Counts(names.CALLS, policy)
    return Board(
        places.CALLS,
        "Claude: After the 200",
        "What HTTP says about calls to Claude, what happened to them, and the difference.",
        [
            Row("What HTTP says, and what happened", headline(calls)),
            Row("Failed calls, newest first, with their request ids", newest()),
            Row("Failed calls, newest first, for stacks without logs", newest_of_traces(), collapsed=True),
            Row("What fails", failures(calls)),
            *by_caller.row(policy),
            Row("Where failures come from", [*origins(calls), *by_client(calls)], collapsed=True),
            Row("Corrected status, and how long failed calls took", statuses(calls), collapsed=True),
            Row("Left by the application", left(calls), collapsed=True),
            Row("Errors inside bodies", inside(calls), collapsed=True, span=24),
        ],
        traces=True,
        logs=True,
        by_caller=True,
    )


def headline(calls: Counts) -> list[p.Panel]:
    policy = calls.policy
    paging = {alert.name for alert in all_alerts(policy) if alert.severity == "critical"}
    answers = Counts(names.ANSWERS_RECEIVED, policy)
    return [
        calls.share(
            "Claimed by HTTP",
            f"Share of calls answered with a status below 400. {JUDGED_TEXT}",
            *CLAIMED,
            whole=JUDGED_MATCHERS,
        ),
        calls.share(
            "True success rate",
            f"Share of calls that completed. {JUDGED_TEXT}",
            COMPLETED,
            whole=JUDGED_MATCHERS,
            steps=p.good_from(policy.slo_target - 5 * policy.error_budget, policy.slo_target),
        ),
        calls.share(
            "The gap",
            "Share of calls that failed after HTTP had answered 200. No HTTP metric, gateway or load balancer shows "
            "them.",
            *HIDDEN_MATCHERS,
            whole=JUDGED_MATCHERS,
            steps=p.bad_from(policy.hidden_warning, policy.hidden_critical),
        ),
        answers.share(
            "Completed: usable",
            "Of the calls that completed, so it says nothing of an outage: how many gave an "
            "answer that the application can use (complete, or paused "
            "and to be continued). The rest was cut, refused, guarded or empty. The dashboard Answers says more.",
            one_of(names.ANSWER, USABLE_ANSWERS),
            steps=p.good_from(1 - 3 * (1 - policy.usable_target), policy.usable_target),
        ),
        p.count("Calls judged", f"{JUDGED_TEXT} Over the whole range.", calls.total(*JUDGED_MATCHERS)),
        p.count(
            "Hidden failures",
            "Calls that failed or were truncated after HTTP had answered 200, over the whole range.",
            calls.part(*HIDDEN_MATCHERS, whole=JUDGED_MATCHERS),
        ),
        p.graph(
            "Success rate: claimed and true",
            "The area between the two lines is what HTTP does not see. The axis begins at the lowest rate.",
            "percentunit",
            p.Query(calls.share_per_minute(*CLAIMED, whole=JUDGED_MATCHERS), "HTTP claims"),
            p.Query(calls.share_per_minute(COMPLETED, whole=JUDGED_MATCHERS), "true"),
            span=16,
            axis="of the calls judged",
            floor=0.99,
            maximum=1,
            worst="min",
            colored={"HTTP claims": colors.LIGHT_GREY, "true": colors.GREEN},
        ).height(7),
        p.graph(
            "Pages",
            "Alerts that page, as long as they do. The dashed lines in the graph beside are where they began.",
            "short",
            p.Query(f"max by (alertname) ({FIRING})", "{{alertname}}"),
            colored=dict(zip(sorted(paging), colors.UNJUDGED, strict=False)),
            span=8,
            axis="alerts",
            stacked=True,
            nothing="no page in this time range",
        )
        .legend(
            c.VizLegendOptions()
            .display_mode(cm.LegendDisplayMode.LIST)
            .placement(cm.LegendPlacement.RIGHT)
            .show_legend(True)
            .calcs([])
        )
        .height(7)
        .decimals(0),
    ]


def newest() -> list[p.Panel]:
    return [
        failed_calls.from_logs(
            "Failed calls, from logs",
            "The latest log records of failed calls. Support asks for the request id. Needs the log records in Loki; "
            "the stack in dashboards/stack sends them there.",
        ),
    ]


def newest_of_traces() -> list[p.Panel]:
    return [
        failed_calls.from_spans(
            "Failed calls, from traces",
            "The latest spans of calls that failed or were truncated; a click on the trace id shows the trace. Needs "
            "traces in Tempo; the Collector configuration in dashboards/stack keeps every one of them.",
            f'span.{names.OUTCOME} =~ "{"|".join(ERRORS)}"',
            "no trace of a failed call in Tempo: none failed, or the stack has no traces",
        ),
    ]


def failures(calls: Counts) -> list[p.Panel]:
    return [
        calls.graph(
            "Hidden failures by error type",
            "Calls that failed behind a 200, by what the provider called the failure; by our name where nobody named "
            "it.",
            *HIDDEN_MATCHERS,
            by=(names.ERROR_TYPE,),
            nothing=NO_HIDDEN,
        ),
        calls.graph(
            "Failed calls by failure",
            "All calls that failed, before the stream or in it, under one name for every provider.",
            FAILED,
            by=(names.FAILURE,),
            nothing=NO_FAILURES,
        ),
        calls.listing(
            "Calls that failed",
            "Every kind of failure in the time range, hidden or not. An error code stands after the type where the "
            "provider sent one. A click on a model shows only this model.",
            FAILED,
            columns=(
                tables.MODEL,
                Column(names.ERROR_TYPE, "Error type · code", joined=names.ERROR_CODE),
                Column(names.PHASE, "Phase", 120),
                Column(names.WIRE_STATUS, "Wire", 90),
                Column(names.HTTP_STATUS, "Corrected", 100),
            ),
            span=24,
            nothing=NO_FAILURES,
        ).height(7),
    ]
