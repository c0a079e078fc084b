# SPDX-License-Identifier: Apache-2.0
"""Checks in environments of their own: `nox -l` lists them, `nox -s lint types` runs some.

Sessions with the tag `ci` are run by .ci/run in addition to its own steps.
"""

from __future__ import annotations

import nox

nox.needs_version = ">= 2024.10.9"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.default_venv_backend = "uv|virtualenv"


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    session.install("ruff >= 0.8")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict."""
    session.install("-e", ".[test,monitoring,lint]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """The test suite on the newest SDK; what follows `--` goes to pytest."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def neighbours(session: nox.Session) -> None:
    """Beside other instrumentations, each in an environment of its own under .cache/neighbours."""
    session.install("-e", ".[test]")
    session.run("pytest", "tests/neighbours", *session.posargs)


@nox.session
def matrix(session: nox.Session) -> None:
    """The tests on every combination of versions; what follows `--` names cells, see `nox -s matrix -- --help`."""
    session.install("uv")
    session.run("python", "-m", "matrix", *session.posargs)


@nox.session(name="matrix-ci", tags=["ci"])
def matrix_ci(session: nox.Session) -> None:
    """The cells that every change has to pass: the oldest, and one of each era; `make test` is the newest."""
    session.install("uv")
    session.run("python", "-m", "matrix", "--ci", *session.posargs)
