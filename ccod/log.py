"""Logs to stderr: text at a terminal, else one JSON object a line. Content of transcripts never comes here."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from ccod.redaction import Redactor
from ccod.settings import CoreSettings

OURS = "ccod"


def set_up(core: CoreSettings, stream: TextIO | None = None, redactor: Redactor | None = None) -> None:
    """Send structlog and the standard library's records through one formatter to `stream`, or stderr.

    `redactor` masks the secrets in what libraries put into their messages and exceptions.
    """
    stream = stream or sys.stderr
    text = core.log.format == "text" or (
        core.log.format == "auto" and (stream.isatty() or core.environment == "development")
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=0)
        if text
        else structlog.processors.JSONRenderer(ensure_ascii=True)
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                partial(_mask, redactor or Redactor()),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(core.log.level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _mask(redactor: Redactor, _logger: Any, _method: str, event: EventDict) -> EventDict:
    masked: EventDict = redactor.mask_all(event)
    return masked
