# SPDX-License-Identifier: Apache-2.0
"""One certificate authority instead of the machine's hundred and fifty, for every client that tests make.

A client of httpx reads the authorities when it is made, which takes longer than most tests. No test asks a server whose
certificate it would check against them. Only what installs packages does, and gets those of the machine.
"""

from __future__ import annotations

import os
from pathlib import Path

AUTHORITY = str(Path(__file__).with_name("authority.pem"))
"""A certificate whose key nobody has."""
VARIABLE = "SSL_CERT_FILE"
"""The variable that names a file of authorities, of OpenSSL, httpx and uv."""
OF_THE_MACHINE = f"{VARIABLE}_OF_THE_MACHINE"


def trust_one() -> None:
    """From now on, clients that this process and its children make read one authority."""
    before = os.environ.get(VARIABLE, "")
    if before != AUTHORITY:
        os.environ |= {VARIABLE: AUTHORITY, OF_THE_MACHINE: before}
