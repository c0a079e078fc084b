# SPDX-License-Identifier: Apache-2.0
"""Asks a Prometheus, a Tempo or a Loki, or anything with the same HTTP interface, and waits for slow answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

MAX_ANSWER = 256 * 2**20
"""The most bytes of an answer that are read."""


class UnusableError(Exception):
    """A server that cannot be asked; the message names it and what it said."""


class Client:
    """One server. `progress` is called with what is asked for, before each question."""

    def __init__(
        self,
        kind: str,
        url: str,
        headers: Mapping[str, str],
        timeout: float,
        progress: Callable[[str], None] = lambda what: None,
    ) -> None:
        self._kind, self._url, self._headers = kind, url.rstrip("/"), dict(headers)
        self._timeout = timeout
        self._progress = progress

    def get(self, what: str, path: str, **parameters: str) -> Any:
        """Returns the JSON at a path; raises `UnusableError`. `what` says in words what is asked for."""
        self._progress(f"{self._kind}: {what}")
        url = f"{self._url}{path}?{urlencode(parameters)}"
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, headers=self._headers), timeout=self._timeout
            ) as answer:
                body = answer.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as error:
            said = error.read(2000).decode("utf-8", "replace").strip()
            raise UnusableError(f"{self._kind} at {self._url} answers {error.code} to {what}: {said[:300]}") from None
        except TimeoutError:
            raise UnusableError(self._too_slow(what)) from None
        except (OSError, HTTPException) as error:
            if isinstance(getattr(error, "reason", None), TimeoutError):
                raise UnusableError(self._too_slow(what)) from None
            raise UnusableError(f"{self._kind} does not answer at {self._url}: {_words(error)}") from None
        if len(body) > MAX_ANSWER:
            raise UnusableError(f"{self._kind}'s answer to {what} is larger than {MAX_ANSWER >> 20} MiB; ask for less")
        try:
            return json.loads(body)
        except ValueError:
            raise UnusableError(f"what answers at {self._url} is no {self._kind}: {body[:80]!r}") from None

    def _too_slow(self, what: str) -> str:
        return (
            f"{self._kind} at {self._url} did not answer within {self._timeout:g} s when asked for {what}; "
            "give it more with --timeout, or ask for a shorter time"
        )


def _words(error: Exception) -> str:
    """Returns what went wrong, without the class and the number that an error of the system has in its text."""
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
