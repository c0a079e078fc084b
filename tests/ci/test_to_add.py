# SPDX-License-Identifier: Apache-2.0
"""What CONTRIBUTING says must be touched to add something is there."""

from __future__ import annotations

import re

from ..support.make import ROOT


def test_every_file_and_folder_that_the_table_names_is_there() -> None:
    section = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## To add X, touch Y")[2].partition("\n## ")[0]
    named = re.findall(r"`((?:src|tests|docs)/[^`]+)`", section)
    assert len(named) > 20
    assert [] == [path for path in named if not (ROOT / path).exists()]
