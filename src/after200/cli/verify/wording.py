# SPDX-License-Identifier: Apache-2.0
"""Messages of other programs, made short, and the advice that fits them."""

from __future__ import annotations

import re
from typing import Final

from after200.cli.verify.checks import Seen

LONGEST: Final = 200
"""How many characters of a message are shown that has no cause in it."""


def brief(line: str) -> str:
    """Returns what an exporter said without the logger's name: the cause that the system named, if it is in it."""
    if host := re.search(r"Failed to resolve '[^']*'", line):
        return f"{host[0]}."
    cause = re.search(r"\[Errno -?\d+\] ([^\"\'()]+)", line)
    if cause is not None:
        return f"{cause[1].strip()}."
    said = re.sub(r"^[a-z_]\w*(?:\.\w+)+: ", "", line)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}..."


def set_up_errors(seen: Seen) -> list[dict[str, str]]:
    """What the set-up raised, with advice; where nothing is active, what OpenTelemetry logged of it."""
    said = [seen.set_up_error] if seen.set_up_error else []
    if not said and not seen.active:
        said = [line for line in seen.log if re.search("Instrumenting of|auto initialize|Configuration of", line)][:1]
    return [{"value": error, "advice": _advice(error)} for error in said]


def _advice(error: str) -> str:
    if "Address already in use" in error:
        return "If the service uses the address: another OTEL_EXPORTER_PROMETHEUS_PORT, which Prometheus scrapes too."
    return "The message names what fails. To leave an instrumentation out: OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=NAME."
