# SPDX-License-Identifier: Apache-2.0
"""The cells, as a table. A cell is one environment; nothing here installs or runs anything."""

from __future__ import annotations

from dataclasses import dataclass

OLDEST_OPENTELEMETRY = ("1.38.0", "0.59b0")
"""The lower bounds in pyproject.toml: of the API and SDK, and of the instrumentation."""

OLDEST_LIBRARIES = (
    "httpx == 0.23.0",
    "httpx2 == 2.0.0",
    "aiohttp == 3.9.0",
    "requests == 2.28.0",
    "botocore == 1.34.0",
)
"""The lower bounds of the HTTP libraries in pyproject.toml."""

OVERRIDES = ("h11 >= 0.16",)
"""What is installed against the word of a package: httpx 0.23.0 asks for an older h11 than the fault server does."""

UPPER_BOUND = 3
"""The first major version of the SDK that pyproject.toml does not support."""

_WRAPT = {"oldest": "wrapt == 1.14.*", "1": "wrapt < 2", "2": "wrapt >= 2"}


@dataclass(frozen=True)
class Cell:
    """One environment, and why it is in the matrix."""

    sdk: str
    """A version of anthropic, or `newest`: the newest release below `UPPER_BOUND`."""
    python: str
    """The wanted version of Python, 3.x; `interpreter_for` says what happens on a machine that has none."""
    why: str
    opentelemetry: str = "newest"
    wrapt: str = "2"
    libraries: str = "newest"
    """`oldest`: the HTTP libraries at their lower bounds; then only the tests of calls without the SDK are run."""
    ci: bool = False
    """Whether every change has to pass it."""
    variant: bool = False
    """Whether it differs from another cell of the same SDK in nothing but what its name says."""

    @property
    def name(self) -> str:
        if not self.variant:
            return self.sdk
        parts = [self.sdk, f"py{self.python}"]
        if self.opentelemetry != "newest":
            parts.append(f"otel-{self.opentelemetry}")
        elif self.wrapt != "2":
            parts.append(f"wrapt{self.wrapt}")
        if self.libraries != "newest":
            parts.append(f"libraries-{self.libraries}")
        return "-".join(parts)

    def requirements(self) -> list[str]:
        """What is installed beside the package and the tools of the tests."""
        # `bedrock` and `vertex` are extras of every version; clients for AWS and Google Cloud need no others. `aiohttp`
        # is one of newer versions, and asks for a newer aiohttp than the oldest that is supported.
        sdk = f"< {UPPER_BOUND}" if self.sdk == "newest" else f"== {self.sdk}"
        extras = "bedrock,vertex" if self.libraries == "oldest" else "aiohttp,bedrock,vertex"
        requirements = [f"anthropic[{extras}] {sdk}"]
        if self._before_httpx_028():
            requirements.append("httpx < 0.28")
        if self.libraries == "oldest":
            requirements += [*OLDEST_LIBRARIES, "brotli", "h2", "zstandard"]
        if self.opentelemetry == "oldest":
            api, instrumentation = OLDEST_OPENTELEMETRY
            requirements += [
                f"opentelemetry-api == {api}",
                f"opentelemetry-sdk == {api}",
                f"opentelemetry-instrumentation == {instrumentation}",
            ]
        return [*requirements, _WRAPT[self.wrapt]]

    def _before_httpx_028(self) -> bool:
        # Up to 0.39 the SDK passes httpx an argument that 0.28 no longer takes.
        return self.sdk != "newest" and tuple(map(int, self.sdk.split(".")[:2])) < (0, 40)


_LIBRARIES = f"calls without the SDK, on {', '.join(OLDEST_LIBRARIES).replace(' == ', ' ')}"

# `make test` runs everything on the newest of all, so CI needs no cell for it.
CELLS: tuple[Cell, ...] = (
    Cell("0.27.0", "3.10", "the oldest that is supported; helpers read a second stream"),
    Cell("0.34.2", "3.11", "beta.prompt_caching"),
    Cell("0.42.0", "3.11", "the last whose helpers read a second stream"),
    Cell("0.49.0", "3.12", "the last that retries by recursion; the first error classes for 413 and 529", ci=True),
    Cell("0.64.0", "3.12", "retries in a loop"),
    Cell("0.75.0", "3.11", "the last that leaves the body open after an error", ci=True),
    Cell("0.86.0", "3.12", "the last without a type on the exception"),
    Cell("0.109.2", "3.13", "middleware; the last that names every event of Bedrock `completion`"),
    Cell("0.125.0", "3.11", "the last with httpx and text completions; drops error chunks of Bedrock", ci=True),
    Cell("1.0.0", "3.10", "the first with httpx2"),
    Cell("1.7.0", "3.12", "typed errors for exception frames of Bedrock"),
    Cell("1.13.0", "3.13", "the last without tracing of its own", ci=True),
    Cell("1.14.0", "3.11", "the first with tracing of its own; streams are read from a copy"),
    Cell("1.17.0", "3.12", "every named event is yielded", ci=True),
    Cell("2.0.0", "3.13", "the first of the second major version"),
    Cell("2.5.0", "3.12", "the first table of error classes"),
    Cell("2.6.0", "3.11", "one table of error classes for every provider"),
    Cell("2.11.0", "3.12", "the last without error codes of images and external storage"),
    Cell("newest", "3.13", "the newest below 3"),
    Cell("newest", "3.10", "the oldest Python", variant=True),
    Cell("newest", "3.11", "another Python", variant=True),
    Cell("newest", "3.12", "another Python", variant=True),
    Cell("0.27.0", "3.13", "the oldest SDK on the newest Python", variant=True),
    Cell("newest", "3.13", "wrapt 1", wrapt="1", variant=True),
    Cell("0.27.0", "3.10", "the oldest of everything", "oldest", "oldest", ci=True, variant=True),
    Cell("1.17.0", "3.11", "the oldest OpenTelemetry under the SDK's own tracing", "oldest", "oldest", variant=True),
    Cell("newest", "3.12", "the oldest OpenTelemetry under the newest SDK", "oldest", "1", variant=True),
    Cell("1.0.0", "3.10", _LIBRARIES, "oldest", "oldest", libraries="oldest", ci=True, variant=True),
)


def select(names: list[str], *, ci: bool) -> list[Cell]:
    """The cells with these names, or those that CI runs, or all. Raises `ValueError` that says what there is."""
    by_name = {cell.name: cell for cell in CELLS}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ValueError(f"no cell {', '.join(unknown)}; there is: {', '.join(by_name)}")
    if names:
        return [by_name[name] for name in names]
    return [cell for cell in CELLS if cell.ci or not ci]
