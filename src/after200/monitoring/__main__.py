# SPDX-License-Identifier: Apache-2.0
"""Write dashboards, rules, alerts, runbooks and a stack's configuration, with numbers of your own.

    after200 dashboards                                write everything under dashboards/
    after200 dashboards --list                         what can be set, with its default
    after200 dashboards --output my --set slo_target=0.995 --set runbooks=https://wiki/claude
    after200 dashboards --check                        exit status 1 when a file there differs; names the files
    after200 dashboards --format kubernetes            manifests under kubernetes/, for kubectl apply -k
    after200 dashboards --format grafana-catalogue     dashboards as Grafana's catalogue takes them

`python -m after200.monitoring` is the same.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
FORMATS = {
    "files": ("files", "dashboards"),
    "kubernetes": ("kubernetes", "kubernetes"),
    "grafana-catalogue": ("catalogue", "grafana-catalogue"),
}
"""Every format → the module that renders it, and the folder that it is written to, where none is named."""
NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 done or up to date, 1 not up to date, 2 cannot run."""
    options = parser().parse_args(arguments)
    if options.list:
        from after200.monitoring.policy import describe_settings

        print(describe_settings())
        return 0
    if sys.version_info < OLDEST_PYTHON:
        version = ".".join(map(str, sys.version_info[:3]))
        return complain(f"needs Python 3.11 or later, as grafana-foundation-sdk does; this is {version}")
    from after200.monitoring.policy import Policy, with_settings

    module, default_folder = FORMATS[options.format]
    render = importlib.import_module(f"after200.monitoring.{module}").render
    try:
        policy = with_settings(Policy(), options.set)
    except ValueError as error:
        return complain(str(error))
    if not NAMESPACE.fullmatch(options.namespace):
        return complain(
            f"{options.namespace!r} is no namespace of Kubernetes: lower-case letters, digits and - are accepted"
        )
    more = (options.namespace,) if options.format == "kubernetes" else ()
    rendered = render(policy, *more)
    folder = options.output or Path(default_folder)
    if options.check:
        return check(folder, rendered)
    try:
        return write(folder, rendered)
    except OSError as error:
        return complain(f"cannot write under {folder}: {error}; choose a folder that can be written with --output")


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the options."""
    found = argparse.ArgumentParser(
        prog="after200 dashboards", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument(
        "--output", type=Path, help="the folder to write to or check (default: dashboards, or the name of the format)"
    )
    found.add_argument("--format", choices=FORMATS, default="files", help="what to write (default: files)")
    found.add_argument(
        "--namespace",
        default="observability",
        help="the namespace that manifests for Kubernetes are for (default: observability)",
    )
    found.add_argument("--check", action="store_true", help="write nothing; fail when a file differs")
    found.add_argument("--list", action="store_true", help="write nothing; list what --set accepts, with its default")
    found.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting; may be given several times"
    )
    return found


def write(folder: Path, rendered: dict[str, str]) -> int:
    for name, text in rendered.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    print(f"wrote {len(rendered)} files under {folder}")
    return 0


def check(folder: Path, rendered: dict[str, str]) -> int:
    """Also finds files that a folder of ours should no longer have."""
    differing = sorted(name for name, text in rendered.items() if read(folder / name) != text)
    folders = {name.partition("/")[0] for name in rendered if "/" in name}
    found = {
        path.relative_to(folder).as_posix() for top in folders for path in (folder / top).rglob("*") if path.is_file()
    }
    for name in differing:
        print(f"{folder / name} {'differs' if (folder / name).exists() else 'is missing'}")
    stray = sorted(found - rendered.keys())
    for name in stray:
        print(f"{folder / name} is written by nothing")
    if differing or stray:
        print("run after200 dashboards and commit the result")
        return 1
    print(f"{len(rendered)} files under {folder} are up to date")
    return 0


def read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def complain(text: str) -> int:
    print(f"after200 dashboards: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
