# SPDX-License-Identifier: Apache-2.0
"""The documentation says what the code says, and its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from rich.table import Table

from after200.cli.answered import Answer, Answered, Limit, Tokens, Tool
from after200.cli.endings import Ending, totals
from after200.cli.verify.findings import Code
from after200.cli.watch.rows import Choice, failures_table, models_table
from after200.cli.watch.summary import Failure, Model, Summary
from after200.cli.watch.view import tables
from after200.settings import PREFIX, SPANS, Settings
from matrix import cells, results

from ..support.patience import PATIENCE_S
from .pages import DOCS, REPOSITORY, ROOT, pages, table


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=quiet,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


WRITTEN = ("docs/reference.py", "docs/other_backends.py")
"""The programs that write pages from the code."""


@pytest.mark.parametrize("program", WRITTEN)
def test_a_page_that_is_written_from_the_code_is_what_the_code_says(program: str) -> None:
    finished = python(program, "--check")
    assert (0, "") == (finished.returncode, finished.stdout + finished.stderr)


@pytest.mark.parametrize("program", WRITTEN)
def test_a_program_that_writes_a_page_has_no_other_options(program: str) -> None:
    finished = python(program, "--chekc")
    assert (2, f"usage: python {program} [--check]\n") == (finished.returncode, finished.stderr)


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the group docs is not installed")
    finished = python("-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site"))
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    assert {f"{page.stem}/index.html" for page in pages() if page.stem != "index"} <= {
        str(file.relative_to(tmp_path / "site")) for file in tmp_path.glob("site/*/index.html")
    }
    html = {file: file.read_text(encoding="utf-8") for file in (tmp_path / "site").rglob("*.html")}
    loaded = re.compile(r'<(?:script|img|iframe)[^>]* src="(https?:[^"]*)|<link[^>]* href="(https?:[^"]*)"[^>]*>')
    asked = {match[0] for text in html.values() for match in loaded.finditer(text) if 'rel="canonical"' not in match[0]}
    assert set() == asked, "a page loads something from elsewhere"
    assert not any('data-md-component="source"' in text for text in html.values()), "it asks the code host for stars"
    assert all('stylesheets/names.css"' in text for text in html.values())
    css = (tmp_path / "site" / "stylesheets" / "names.css").read_text(encoding="utf-8")
    assert "td code" in css
    assert "word-break: normal" in css, "a name would be broken inside on a small screen"
    search = (tmp_path / "site" / "search" / "search_index.json").read_text(encoding="utf-8")
    runbooks = {file.stem for file in (ROOT / "dashboards" / "runbooks").glob("Claude*.md")}
    assert runbooks == set(re.findall(r'"location": ?"runbooks/(Claude\w+)/"', search))
    assert 'class="glightbox"' in html[tmp_path / "site" / "dashboards" / "index.html"]


def test_links_into_the_repository_lead_somewhere() -> None:
    linked = [
        (page.name, path)
        for page in pages()
        for path in re.findall(rf"{REPOSITORY}(?:tree|blob)/main/([^)#\s]+)", page.read_text(encoding="utf-8"))
    ]
    assert linked
    assert [] == [(page, path) for page, path in linked if not (ROOT / path).exists()]


def test_the_settings_are_those_there_are() -> None:
    accepted = {True: "true, false", False: "true, false", "auto": ", ".join(SPANS), None: "a callable"}
    accepted |= {(): "at most three names, separated by commas"}
    assert [
        {
            "keyword": name,
            "environment variable": "" if default is None else PREFIX + name.upper(),
            "accepted": accepted[default],
            "default": "none" if default == () else str(default).lower(),
        }
        for name, default in vars(Settings()).items()
    ] == table("settings.md", "keyword")


def test_the_page_on_verify_names_every_code_there_is() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", (DOCS / "verify.md").read_text(encoding="utf-8"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"\w+", row)]
    assert sorted(code.name.lower() for code in Code) == sorted(named)


def test_the_page_and_the_picture_of_watch_have_every_table_of_its_screen() -> None:
    ending = Ending("failed", "overloaded_error", 529, 200)
    summary = Summary(
        models=[Model("chat", "claude", totals({ending: 1}), 0)],
        calls=Counter({ending: 1}),
        answered=Answered(
            Counter({Answer("complete", "end_turn"): 1}), Counter({Tool("web_search", ""): 1}),
            Counter({Tokens("input", ""): 1}), {"overloaded": 1.0}, [Limit("claude", "requests", 0.5, 50)],
        ),
        failures=[Failure(0, "chat", "claude", "overloaded", ending, "req_1")],
    )  # fmt: skip
    shown = [models_table(summary, 200, 9, Choice()), *tables(summary, 200), failures_table(summary, 200, 9)]
    titles = [str(each.title) for each in shown if isinstance(each, Table)]
    assert 8 == len(titles)
    assert titles == [row["table"].strip("*") for row in table("watch.md", "table", "meaning")]
    svg = (DOCS / "images" / "watch.svg").read_text(encoding="utf-8")
    words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg)).replace("&#160;", " ")
    assert [] == [title for title in titles if title not in words]


def test_the_tables_of_versions_are_what_the_matrix_wrote() -> None:
    written = results.read()
    assert [cell.name for cell in cells.CELLS] == [result.cell for result in written]
    assert [] == [result.cell for result in written if not result.ok]
    assert results.table(written) == (DOCS / "matrix.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert results.fill(readme, written) == readme
    assert "<!-- matrix -->\n- `anthropic` **0.27.0**" in readme
