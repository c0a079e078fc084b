# SPDX-License-Identifier: Apache-2.0
"""The forms of a report, and which one the name of a file asks for."""

from __future__ import annotations

import json
from pathlib import Path

from after200.cli.report import markdown, page
from after200.cli.report.incident import Incident


def form_of(output: Path | None) -> str:
    """Returns the form that the end of a file's name says; Markdown for any other."""
    return {".html": "html", ".htm": "html", ".json": "json"}.get(output.suffix.lower() if output else "", "markdown")


def written(found: Incident, form: str) -> str:
    """Returns the report as `markdown`, `html` or `json`."""
    if form == "json":
        return json.dumps(found.as_json(), indent=2) + "\n"
    return page.write(found) if form == "html" else markdown.write(found)
