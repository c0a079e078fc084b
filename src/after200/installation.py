# SPDX-License-Identifier: Apache-2.0
"""How to install an extra of after200 here: from where this installation came.

A message that names an installation must name one that works. Before a release, the package index does not have
after200, so somebody who installed it from a checkout or a wheel must be sent there again.
"""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname


def pip_install(extra: str) -> str:
    """Returns the command that installs after200 with `extra`, as a shell takes it.

    The source is the folder, the file or the URL that `direct_url.json` of the installation names (PEP 610), and the
    package index where there is no such file.
    """
    try:
        text = metadata.distribution("after200").read_text("direct_url.json")
        direct = json.loads(text) if text else {}
    except (metadata.PackageNotFoundError, ValueError):
        direct = {}
    return f"pip install {source_of(direct, extra)}"


def source_of(direct: dict[str, object], extra: str) -> str:
    """Returns what pip takes for after200 with `extra`; `direct` is what `direct_url.json` holds, empty without it."""
    url = str(direct.get("url") or "")
    if not url:
        return f"'after200[{extra}]'"
    parts = urlsplit(url)
    if parts.scheme != "file":
        control = direct.get("vcs_info")
        system = f"{control['vcs']}+" if isinstance(control, dict) and "vcs" in control else ""
        return f"'after200[{extra}] @ {system}{url}'"
    path = Path(url2pathname(parts.path))
    information = direct.get("dir_info")
    editable = isinstance(information, dict) and bool(information.get("editable"))
    return f"{'-e ' if editable else ''}'{path}[{extra}]'"
