# SPDX-License-Identifier: Apache-2.0
"""An environment of its own for each cell: an interpreter that is at hand, and what the cell wants installed.

The package is installed as the wheel that users get. Environments stay in .cache/matrix and are brought up to date.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .cells import OVERRIDES, Cell

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".cache" / "matrix"
TOOLS = (
    "pytest >= 8",
    "pytest-asyncio >= 0.24",
    "hypothesis >= 6.100",
    "PyYAML >= 6",
    "tenacity >= 8",
    "trio >= 0.25",
)
"""What the tests need beside the cell's own requirements."""


class CannotInstallError(Exception):
    """An environment could not be made; the message is what the installer said."""


def find_python(version: str) -> str | None:
    """An interpreter of `version` (3.x) on this machine: this one, on PATH, or one of pyenv's."""
    if f"{sys.version_info[0]}.{sys.version_info[1]}" == version:
        return sys.executable
    for candidate in _candidates(version):
        # A shim of pyenv's is there for every version, whether or not it can be run.
        probe = subprocess.run([candidate, "-c", ""], capture_output=True, check=False)
        if probe.returncode == 0:
            return candidate
    return None


def _candidates(version: str) -> Iterator[str]:
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True))


def find_uv() -> str:
    """The program uv; raises `CannotInstallError` where there is none."""
    try:
        import uv
    except ImportError:
        program = shutil.which("uv")
    else:
        program = uv.find_uv_bin()
    if program is None:
        raise CannotInstallError("uv is not installed: `make matrix` installs it")
    return program


def newest_release(requirement: str, *, pre_release: bool) -> str:
    """The newest version that the package index has for `requirement`, pre-releases included or not."""
    allowed = f"--prerelease={'allow' if pre_release else 'disallow'}"
    done = subprocess.run(
        [find_uv(), "pip", "compile", "--quiet", "--no-deps", "--no-header", "--no-annotate", allowed, "-"],
        input=requirement,
        capture_output=True,
        text=True,
        check=False,
    )
    _, _, version = done.stdout.strip().partition("==")
    if done.returncode != 0 or not version:
        raise CannotInstallError(f"the newest release for {requirement!r} is not known:\n{done.stderr.strip()}")
    return version


def build_wheel() -> Path:
    """The wheel of the working tree."""
    target = WORK / "dist"
    shutil.rmtree(target, ignore_errors=True)
    _run(find_uv(), "build", "--quiet", "--wheel", "--out-dir", str(target), str(ROOT))
    return next(target.glob("*.whl"))


def make(cell: Cell, python: str, wheel: Path) -> Path:
    """The interpreter of the environment of `cell`, with everything installed."""
    uv, directory = find_uv(), WORK / "envs" / cell.name
    interpreter = directory / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not _is_of(interpreter, python):
        _run(uv, "venv", "--quiet", "--clear", "--no-project", "--python", python, str(directory))
    requirements = [f"after200[cli] @ {wheel.as_uri()}", *TOOLS, *cell.requirements()]
    # The wheel keeps its version while it is worked on, so its name says nothing about its content.
    again = ["--upgrade", "--reinstall-package", "after200"]
    if cell.libraries != "newest":
        overrides = WORK / "overrides.txt"
        overrides.write_text("\n".join(OVERRIDES), encoding="utf-8")
        again += ["--override", str(overrides)]
    _run(uv, "pip", "install", "--quiet", "--python", str(interpreter), *again, *requirements)
    return interpreter


def _is_of(interpreter: Path, python: str) -> bool:
    """Whether the environment is there, and made from `python`."""
    ask = ("-c", "import sys; print(sys.version_info[:3])")
    try:
        answers = [
            subprocess.run([program, *ask], capture_output=True, check=True) for program in (interpreter, python)
        ]
    except (OSError, subprocess.CalledProcessError):
        return False
    return answers[0].stdout == answers[1].stdout


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotInstallError(f"{' '.join(command[:3])} failed:\n{done.stderr.strip() or done.stdout.strip()}")
