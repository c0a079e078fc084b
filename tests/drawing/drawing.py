# SPDX-License-Identifier: Apache-2.0
"""Draws dashboards: orders come in, a PNG and what can be seen on it come out for each.

The drawing is done by the program in this folder, with Grafana's own libraries in headless Chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support.monitoring.programs import CACHE
from tests.support.not_run import SERVERS

HERE = Path(__file__).resolve().parent
INSTALLED = CACHE / "drawing"
"""Where `.ci/install-monitoring` puts Grafana's libraries, and the page is built."""
SOURCES = ("package.json", "tsconfig.json", "build.mjs", "draw.ts", "page")
TIMEOUT_S = 400


@dataclass(frozen=True)
class Order:
    """One dashboard to draw, at each of some widths in pixels. Times in ms since 1970."""

    name: str
    board: Path
    prometheus: str
    start: int
    end: int
    widths: tuple[int, ...] = (1600, 1280)
    query: str = ""
    """Of the page's address: `var-model=x`, `rows=open`."""
    traces: Path | None = None
    logs: Path | None = None
    hover: bool = False

    def order(self) -> dict[str, Any]:
        values = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        return {**values, "from": values.pop("start"), "to": values.pop("end")}


def missing() -> str | None:
    """What the drawing lacks here and how to install it; None when it lacks nothing."""
    if shutil.which("node") is None:
        return "node is not installed: install Node.js 20 or later with npm"
    if chromium() is None:
        return "chromium is not installed: install the Debian package chromium, or name another one in CHROMIUM"
    if not (INSTALLED / "node_modules" / "@grafana" / "scenes").exists():
        return f"grafana-libraries is not installed: {SERVERS}"
    return None


def chromium() -> str | None:
    """The browser."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def build() -> None:
    """Build the page and the program from the sources beside this file, where the libraries are."""
    for name in SOURCES:
        source, copy = HERE / name, INSTALLED / name
        shutil.rmtree(copy, ignore_errors=True)
        if source.is_dir():
            shutil.copytree(source, copy)
        else:
            shutil.copy(source, copy)
    run("node", "build.mjs")


def check_types() -> str:
    """What the TypeScript compiler says of the sources that `build` has copied; nothing when they are right."""
    command = [str(INSTALLED / "node_modules" / ".bin" / "tsc"), "--noEmit"]
    finished = subprocess.run(command, cwd=INSTALLED, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=False)
    return finished.stdout


def run(*command: str) -> None:
    """Run a program in the folder of the libraries; raises RuntimeError with what it said when it fails."""
    finished = subprocess.run(
        command,
        cwd=INSTALLED,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{finished.stdout[-3000:]}")


def draw(orders: Sequence[Order], folder: Path) -> list[dict[str, Any]]:
    """Draw and look: what can be seen of each order at each width, as `page/seen.ts` describes it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "orders.json"
    document = {
        "chromium": chromium(),
        "modules": str(INSTALLED / "node_modules"),
        "browsers": min(2, os.cpu_count() or 1),
        "orders": [order.order() for order in orders],
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    run("node", "out/draw.mjs", str(path.resolve()), str(folder.resolve()))
    files = [folder / f"{order.name}-{width}.json" for order in orders for width in order.widths]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]
