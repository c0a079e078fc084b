# SPDX-License-Identifier: Apache-2.0
"""An environment of its own for each neighbour, made on demand and kept in .cache/neighbours.

Nothing of the package is installed in it: what is tested is the package that runs the tests, put on its path.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import after200

from ..installing import find_uv, to_install
from .expectations import Framework, Neighbour

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache" / "neighbours"
NEEDED = ("opentelemetry-sdk >= 1.38", "opentelemetry-instrumentation >= 0.59b0", "wrapt >= 1.14, < 3")
"""What after200 and the program need, beside the SDK."""


class CannotInstallError(Exception):
    """An environment could not be made; the message is what the installer said."""


def interpreter(neighbour: Neighbour | Framework) -> Path:
    """The interpreter of an environment with the neighbour and the SDK in it; raises `CannotInstallError`."""
    also = neighbour.also if isinstance(neighbour, Framework) else ()
    requirements = (neighbour.requirement, *also, neighbour.sdk, *NEEDED)
    key = hashlib.sha256(repr((sys.version, sys.prefix, requirements)).encode()).hexdigest()[:8]
    directory = CACHE / f"{neighbour.name}-{key}"
    python = directory / "bin" / "python"
    complete = directory / "complete"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(directory.with_suffix(".lock"), "w") as lock:
        # Tests in another process may want the same one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            _make(directory, python, requirements)
            complete.touch()
    return python


def package_in(folder: Path) -> str:
    """Puts the package that runs the tests into `folder`, entry points and examples too; returns the PYTHONPATH."""
    source, path = Path(after200.__file__).parent, folder / "src"
    path.mkdir()
    (path / source.name).symlink_to(source)
    (folder / "examples").symlink_to(ROOT / "examples")
    metadata = path / f"{source.name}-{after200.__version__}.dist-info"
    metadata.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (metadata / name).write_text(distribution(source.name).read_text(name) or "", encoding="utf-8")
    return str(path)


def _make(directory: Path, python: Path, requirements: tuple[str, ...]) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    uv = find_uv()
    if uv is None:
        _run(sys.executable, "-m", "venv", str(directory))
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)
    else:
        _run(uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(directory))
        # Without bytecode: a framework has thousands of modules, and its first program writes that of those it imports.
        _run(uv, "pip", "install", "--quiet", "--python", str(python), *requirements)


def _run(*command: str) -> None:
    done = subprocess.run(command, env=to_install(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise CannotInstallError(f"{Path(command[0]).name} {command[1]} failed: {' '.join(said[-3:])}")
