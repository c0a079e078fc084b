# SPDX-License-Identifier: Apache-2.0
"""Hooks of mkdocs: the runbooks, which `after200 dashboards` writes, become pages that the search of the site finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

RUNBOOKS = Path(__file__).parents[1] / "dashboards" / "runbooks"


def on_files(files: Files, config: Any) -> Files:
    """Adds each runbook as `runbooks/NAME.md`; its own README is their list."""
    for path in sorted(RUNBOOKS.glob("*.md")):
        files.append(File.generated(config, f"runbooks/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links of a runbook to files that are no pages lead into the repository; a written page cannot be edited."""
    if not page.file.src_uri.startswith("runbooks/"):
        return markdown
    page.edit_url = None
    return markdown.replace("](../", "](https://github.com/after200/after200/blob/main/dashboards/")
