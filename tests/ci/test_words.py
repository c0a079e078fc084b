# SPDX-License-Identifier: Apache-2.0
"""The words of the package: none that leaves open who does what."""

from __future__ import annotations

import re

from ..support.make import ROOT

RIDDLES = r"(?i)\b(told|note_\w*|goes by|of use|is at an end)\b"
"""Words that leave open who does what: a sentence names its subject and the field's word."""


def test_no_file_of_the_package_has_a_word_that_is_a_riddle() -> None:
    files = [file for file in (ROOT / "src").rglob("*") if file.suffix in (".py", ".md", ".yaml", ".yml")]
    found = {str(file.relative_to(ROOT)): re.findall(RIDDLES, file.read_text("utf-8")) for file in files}
    assert {} == {file: words for file, words in found.items() if words}
