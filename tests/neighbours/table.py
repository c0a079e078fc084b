# SPDX-License-Identifier: Apache-2.0
"""The tables in docs/neighbours.md, from what the tests expect: `python -m tests.neighbours.table` writes them."""

from __future__ import annotations

import re
from pathlib import Path

from ..support.neighbours.expectations import FRAMEWORKS, NEIGHBOURS, Neighbour
from ..support.neighbours.litellm import CLAIMS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "neighbours.md"
MARKS = {name: (f"<!-- {name}: begin -->", f"<!-- {name}: end -->") for name in ("table", "frameworks", "litellm")}

_HEADER = """\
| beside | version | spans of a call, the SDK's tracing on | off, or before 1.14 | metrics that both record | set |
|---|---|---|---|---|---|
"""


def table() -> str:
    """The table, as Markdown."""
    return _HEADER + "".join(_row(neighbour) for neighbour in NEIGHBOURS)


def frameworks() -> str:
    """The table of the frameworks, as Markdown."""
    rows = [
        f"| {each.title} | {each.version} | `{each.scope}` | {'<br>'.join(f'`{name}`' for name in each.overlap)} |\n"
        for each in FRAMEWORKS
    ]
    return "| package | version | scope of its metrics | metrics that both record |\n|---|---|---|---|\n" + "".join(
        rows
    )


WAYS = {
    "completion": "`completion`",
    "acompletion": "`acompletion`",
    "messages": "`anthropic.messages`",
    "bedrock": "`acompletion`, `bedrock/`",
    "router": "`Router` with a fallback",
}
"""The name of a way in the tests → in the document."""


def litellm() -> str:
    """The table of what LiteLLM says of its calls, as Markdown."""
    header = "| call | the provider sends | the application gets | LiteLLM's span | its counters | after200 |\n"
    rows = [
        f"| {WAYS[claim.way]} | {claim.sends} | {_got(claim.got)} | {'; '.join(claim.span)} | "
        f"{'–' if claim.counted is None else '; '.join(claim.counted)} | {'; '.join(claim.recorded)} |\n"
        for claim in CLAIMS
    ]
    return header + "|---|---|---|---|---|---|\n" + "".join(rows)


def _got(got: str | None) -> str:
    return "the bytes" if got is None else f"`{got}`"


def _row(neighbour: Neighbour) -> str:
    overlap = "<br>".join(f"`{name}`" for name in neighbour.overlap) or "none"
    advice = "<br>".join(f"`{name}={value}`" for name, value in neighbour.advice.items()) or "nothing"
    on, off = (_count(neighbour.spans.get(tracing)) for tracing in ("on", "off"))
    return f"| {neighbour.title} | {neighbour.version} | {on} | {off} | {overlap} | {advice} |\n"


def _count(spans: tuple[int, int] | None) -> str:
    return "–" if spans is None else f"{spans[0]} without after200, {spans[1]} with it"


def write() -> None:
    """Puts the tables into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for (begin, end), made in zip(MARKS.values(), (table(), frameworks(), litellm()), strict=True):
        text = re.sub(f"(?<={begin}\n).*(?={end})", made.replace("\\", r"\\"), text, flags=re.DOTALL)
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
