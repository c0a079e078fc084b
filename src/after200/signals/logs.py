# SPDX-License-Identifier: Apache-2.0
"""An ended call that is an error → one log record, in the context of its span."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry import _logs
from opentelemetry import context as contexts
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from .. import names
from .._version import __version__
from ..call.record import EndedCall


class Logs:
    """The event of each error."""

    def __init__(self, logger_provider: Any) -> None:
        self._logger = _logs.get_logger(names.SCOPE, __version__, logger_provider)

    def end(self, call: EndedCall, handle: Any) -> None:
        """Emits the event of `call`, when it is an error."""
        verdict = call.verdict
        if verdict.error_type is None:
            return
        attributes = {
            names.EXCEPTION_TYPE: verdict.exception_type,
            names.EXCEPTION_MESSAGE: verdict.message,
            names.ERROR_TYPE: verdict.error_type,
            names.FAILURE: verdict.failure,
            names.HTTP_STATUS: verdict.status,
            names.WIRE_STATUS: call.wire_status,
            names.ANTHROPIC_REQUEST_ID: call.request_id,
        }
        record = LogRecord(
            timestamp=time.time_ns(),
            context=contexts.get_current() if handle is None else handle.context,
            severity_text="WARN",
            severity_number=SeverityNumber.WARN,
            event_name=names.EXCEPTION_EVENT,
            attributes={name: value for name, value in attributes.items() if value is not None},
        )
        if is_instrumentation_enabled():
            self._logger.emit(record)
            return
        # The record is of a call that is recorded: a neighbour's suppression around it (logfire's) is not meant for it.
        token = contexts.attach(contexts.Context())
        try:
            self._logger.emit(record)
        finally:
            contexts.detach(token)
