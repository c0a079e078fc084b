# SPDX-License-Identifier: Apache-2.0
"""The argparse types of the commands: text in, a value out; `ArgumentTypeError` names what is wrong and accepted."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from urllib.parse import urlsplit


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Returns a type for whole numbers from `lowest` to `highest`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {lowest} to {highest}")
        return int(text)

    return read


def seconds(text: str) -> float:
    """A time to wait, in seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0, at most 86400")
    return value


def url(text: str) -> str:
    """The URL of a server."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL, as in http://localhost:9090")
    return text


def header(text: str) -> tuple[str, str]:
    """An HTTP header, as its name and its value."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or "\n" in text or "\r" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a header, as in 'Authorization: Bearer KEY'")
    return name.strip(), value.strip()


def setup_function(text: str) -> str:
    """A Python module, and perhaps a function in it."""
    module, colon, function = text.partition(":")
    if not all(part.isidentifier() for part in module.split(".")) or (colon and not function.isidentifier()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not MODULE or MODULE:FUNCTION, as in my_service.telemetry:set_up"
        )
    return text


def list_of(*accepted: str) -> Callable[[str], tuple[str, ...]]:
    """Returns a type for lists, separated by commas, of the accepted words."""

    def read(text: str) -> tuple[str, ...]:
        words = tuple(word.strip() for word in text.split(","))
        if not set(words) <= set(accepted):
            raise argparse.ArgumentTypeError(
                f"{text!r} is not one or more, separated by commas, of: {', '.join(accepted)}"
            )
        return words

    return read
