# SPDX-License-Identifier: Apache-2.0
"""A function in a process of its own, which has imported what this one has: imports are what takes long."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from typing import Any


def in_fork(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns, which JSON can hold. Raises `SystemExit` when it fails."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        try:
            with os.fdopen(write_end, "w") as out:
                json.dump(function(*arguments), out)
        except BaseException:
            logging.getLogger(__name__).exception("the run failed")
            os._exit(1)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        result = answer.read()
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit(f"the run {arguments} failed")
    return json.loads(result)
