# SPDX-License-Identifier: Apache-2.0
"""An ended call that is an error → one log record, in the context of its span."""

from __future__ import annotations

import time

from opentelemetry import _logs
from opentelemetry import context as contexts
from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from .. import names
from .._version import __version__
from ..call.ended import EndedCall
from .deferred import Key


class Logs:
    """The log record of each error."""

    def __init__(self, logger_provider: LoggerProvider | None) -> None:
        self._logger = _logs.get_logger(names.SCOPE, __version__, logger_provider, names.SCHEMA_URL)

    def end(self, call: EndedCall, context: contexts.Context, caller: Key = ()) -> None:
        """Emits the record of `call`, which is an error, in `context`, that of its span; `caller` says whose it is."""
        verdict = call.verdict
        attributes = {
            names.OPERATION_NAME: call.operation,
            names.PROVIDER_NAME: call.provider,
            names.REQUEST_MODEL: call.model,
            names.PHASE: verdict.phase,
            names.EXCEPTION_TYPE: verdict.exception_type,
            names.EXCEPTION_MESSAGE: verdict.message,
            names.ERROR_TYPE: verdict.error_type,
            names.ERROR_CODE: verdict.error_code,
            names.FAILURE: verdict.failure,
            names.HTTP_STATUS: verdict.status,
            names.WIRE_STATUS: call.wire_status,
            names.ANTHROPIC_REQUEST_ID: call.request_id,
            names.CLIENT: call.client,
        }
        record = LogRecord(
            timestamp=time.time_ns(),
            context=context,
            severity_text="WARN",
            severity_number=SeverityNumber.WARN,
            event_name=names.EXCEPTION_EVENT,
            attributes={**{name: value for name, value in attributes.items() if value is not None}, **dict(caller)},
        )
        if is_instrumentation_enabled():
            self._logger.emit(record)
            return
        # A call that is recorded although another instrumentation suppresses (logfire does around each call): the
        # suppression is not meant for this record.
        token = contexts.attach(contexts.Context())
        try:
            self._logger.emit(record)
        finally:
            contexts.detach(token)
