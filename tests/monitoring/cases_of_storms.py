# SPDX-License-Identifier: Apache-2.0
"""Fast and quiet: when a page comes and goes at the shipped intervals, and what pages nobody. Fleets of processes
too."""

from __future__ import annotations

from .cases import (
    CALL,
    COMPLETED,
    OVERLOADED,
    OVERLOADED_VISIBLY,
    SERVER_ERROR,
    abandoned,
    growing,
    hidden,
    labelled,
    overloaded,
    server_errors,
    sure,
)
from .promtool import Case


def away(steps: int, marker: str = "_") -> str:
    """So many steps without a sample; `stale` is what Prometheus writes when a scrape has failed."""
    return f"{marker} _x{steps - 2}" if steps > 1 else marker


def process(series: str, name: str) -> str:
    return series.replace('instance="chat-1"', f'instance="{name}"')


def target_info(name: str) -> str:
    return f'target_info{{job="chat",instance="{name}",telemetry_sdk_language="python"}}'


ABANDONED = labelled(
    "after200_calls_total", {**CALL, "after200_outcome": "abandoned", "after200_wire_status_code": "200"}
)
NAMES = ("pod-a", "pod-b", "pod-c")

STORM = Case(
    # Storm from 20m to 28m: 13 of 40 calls at each step of 15 s. The first sample that can show it is at 20m15s.
    "A storm in which a third of the calls fail pages within half a minute, and is over three minutes after its end",
    {COMPLETED: growing((80, 40), (32, 27), (80, 40)), SERVER_ERROR: growing((80, 0), (32, 13), (80, 0))},
    {
        "19m45s": (),
        "20m15s": (hidden("1.625%"), server_errors("1.625%")),
        "20m30s": (hidden("3.25%"), server_errors("3.25%"), server_errors(sure(26, 160), "critical")),
        "20m45s": (hidden("4.875%"), server_errors("4.875%"), server_errors(sure(39, 160), "critical")),
        "24m": (hidden("26%"), server_errors("26%"), server_errors(sure(104, 320), "critical")),
        "28m": (hidden("32.5%"), server_errors("32.5%"), server_errors(sure(260, 800), "critical")),
        # The condition of the page ends at 28m45s; the page is kept for two minutes, so that a storm is one page.
        "30m": (hidden("19.5%"), server_errors("19.5%"), server_errors(sure(221, 800), "critical", "28m45s")),
        # What is left of it is a warning, as long as the window of five minutes remembers.
        "31m": (hidden("13%"), server_errors("13%")),
        "33m15s": (),
    },
)

CASES_OF_STORMS = (
    STORM,
    Case(
        "A storm of overloads in little traffic pages within two minutes",
        # 6 calls a minute; 2 of them fail from 20m on.
        {COMPLETED: growing((80, 2), (60, 1)), OVERLOADED: growing((80, 0), (60, 1))},
        {
            "19m45s": (),
            "20m15s": (hidden("2.5%"), overloaded("2.5%")),
            "21m15s": (hidden("12.5%"), overloaded("12.5%")),
            "21m30s": (hidden("15%"), overloaded("15%"), overloaded(sure(6, 16), "critical")),
            "21m45s": (hidden("17.5%"), overloaded("17.5%"), overloaded(sure(7, 16), "critical")),
        },
    ),
    Case(
        "A single failure pages nobody, in much traffic and in little",
        {COMPLETED: growing((40, 2), (1, 1), (80, 2)), OVERLOADED: growing((40, 0), (1, 1), (80, 0))},
        {
            "10m": (),
            "10m15s": (hidden("2.5%"), overloaded("2.5%")),
            "10m45s": (hidden("2.5%"), overloaded("2.5%")),
            "12m": (hidden("2.5%"), overloaded("2.5%")),
            "15m30s": (),
        },
    ),
    Case(
        "Two failures at once page nobody",
        {COMPLETED: growing((120, 2)), OVERLOADED: growing((40, 0), (1, 2), (79, 0))},
        {
            "10m": (),
            "10m30s": (hidden("4.762%"), overloaded("4.762%")),
            "11m": (hidden("4.762%"), overloaded("4.762%")),
        },
    ),
    Case(
        "One per cent of failures pages nobody for an hour, whether they come evenly or four at a time",
        {
            COMPLETED: growing((240, 99)),
            SERVER_ERROR: growing(*((1, 1),) * 120, *((3, 0), (1, 4)) * 30),
        },
        {f"{minute}m": () for minute in range(6, 60, 3)},
    ),
    Case(
        "A rolling deploy of a fleet fires nothing",
        # Each process is replaced by one that counts from 0, two minutes after the one before it.
        {
            **{
                process(COMPLETED, name): f"{growing((40 + 8 * n, 20), start=1000)} stale"
                for n, name in enumerate(NAMES)
            },
            **{process(SERVER_ERROR, name): f"7x{40 + 8 * n} stale" for n, name in enumerate(NAMES)},
            **{
                process(COMPLETED, f"{name}-new"): f"_x{40 + 8 * n} {growing((60, 20))}" for n, name in enumerate(NAMES)
            },
            **{process(SERVER_ERROR, f"{name}-new"): f"_x{40 + 8 * n} 0x60" for n, name in enumerate(NAMES)},
        },
        {f"{minute}m": () for minute in range(6, 24)},
    ),
    Case(
        "A storm during a rolling deploy pages",
        {
            **{process(COMPLETED, name): f"{growing((40, 20), (8 * n, 13))} stale" for n, name in enumerate(NAMES)},
            **{process(SERVER_ERROR, name): f"{growing((40, 0), (8 * n, 7))} stale" for n, name in enumerate(NAMES)},
            **{
                process(COMPLETED, f"{name}-new"): f"_x{40 + 8 * n} {growing((60, 13))}" for n, name in enumerate(NAMES)
            },
            **{
                process(SERVER_ERROR, f"{name}-new"): f"_x{40 + 8 * n} {growing((60, 7))}"
                for n, name in enumerate(NAMES)
            },
        },
        {"9m45s": (), "20m": (hidden("35%"), server_errors("35%"), server_errors(sure(420, 1200), "critical"))},
    ),
    Case(
        "A new process of a fleet whose first call fails is seen at once, though its series was not born at zero",
        {
            process(COMPLETED, "pod-a"): growing((120, 2), start=10_000),
            process(OVERLOADED_VISIBLY, "pod-a"): "30x120",
            process(OVERLOADED_VISIBLY, "pod-b"): "_x60 1x60",
        },
        {"14m45s": (), "15m": (overloaded("2.439%"),), "21m": ()},
    ),
    Case(
        "Scrapes of one process that fail for a minute fire nothing",
        {
            process(COMPLETED, "pod-a"): growing((160, 20), start=100_000),
            process(SERVER_ERROR, "pod-a"): "0x160",
            process(COMPLETED, "pod-b"): f"1000x40 {away(4, 'stale')} 1000x120",
            process(SERVER_ERROR, "pod-b"): f"300x40 {away(4, 'stale')} 300x120",
        },
        {f"{6 * 60 + 15 * n}s": () for n in range(80)},
    ),
    Case(
        "A process that was away for eight minutes and comes back as it was fires nothing",
        {
            process(COMPLETED, "pod-a"): growing((160, 20), start=100_000),
            process(SERVER_ERROR, "pod-a"): "0x160",
            target_info("pod-a"): "1x160",
            process(COMPLETED, "pod-b"): f"1000x40 {away(32)} 1000x88",
            process(SERVER_ERROR, "pod-b"): f"300x40 {away(32)} 300x88",
            target_info("pod-b"): f"1x40 {away(32)} 1x88",
        },
        {f"{6 * 60 + 15 * n}s": () for n in range(100)},
    ),
    Case(
        "A process that ends fires nothing, and what it abandoned before is not counted again",
        {
            process(COMPLETED, "pod-a"): growing((120, 20)),
            process(ABANDONED, "pod-a"): "0x120",
            process(COMPLETED, "pod-b"): f"{growing((40, 20))} stale",
            process(ABANDONED, "pod-b"): f"{growing((20, 0), (1, 60), (19, 0))} stale",
        },
        {"5m": (), "5m30s": (abandoned("6.977%"),), "10m30s": (), "12m": (), "20m": ()},
    ),
)
