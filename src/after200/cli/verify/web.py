# SPDX-License-Identifier: Apache-2.0
"""JSON from the HTTP interfaces of Prometheus and Alertmanager; what goes wrong becomes one `WebError` that says it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode


class WebError(Exception):
    """No answer, or not the one of the server that was meant. `reached`: somebody did answer."""

    def __init__(self, message: str, *, reached: bool) -> None:
        super().__init__(message)
        self.reached = reached


def get_json(url: str, parameters: Mapping[str, str], headers: Mapping[str, str], timeout: float = 5.0) -> Any:
    """The JSON at `url`."""
    full = url + ("?" + urlencode(parameters) if parameters else "")
    try:
        with urllib.request.urlopen(urllib.request.Request(full, headers=dict(headers)), timeout=timeout) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise WebError(f"{url} answers {error.code} {error.reason}", reached=True) from None
    except ValueError:
        raise WebError(f"{url} answers with something that is not JSON", reached=True) from None
    except HTTPException as error:
        raise WebError(f"{url} does not speak HTTP ({type(error).__name__})", reached=True) from None
    except OSError as error:
        raise WebError(f"{url}: {getattr(error, 'reason', error)}", reached=False) from None
