"""Logs to stderr: text at a terminal, else one JSON object a line. Content of transcripts never comes here."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from ccod.redaction import Redactor
from ccod.repetition import Repetition
from ccod.settings import CoreSettings, LogSettings
from ccod.streams import is_journal

OURS = "ccod"

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""syslog's, which systemd's journal reads from the start of a line: sd-daemon(3)."""


def set_up(
    core: CoreSettings,
    stream: TextIO | None = None,
    redactor: Redactor | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Send structlog and the standard library's records through one formatter to `stream`, or stderr.

    `redactor` masks the secrets in what libraries put into their messages and exceptions.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    formatter = _Prioritised if is_journal(stream, environ) else structlog.stdlib.ProcessorFormatter
    handler = logging.StreamHandler(stream)
    handler.addFilter(Repetition())
    handler.setFormatter(
        formatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                partial(_mask, redactor or Redactor()),
                *_renderers(core, stream),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    set_levels(core.log)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def set_levels(settings: LogSettings, before: LogSettings | None = None) -> None:
    """Let loggers through from these levels on; those that only `before` named follow the others again."""
    for name in before.levels if before else ():
        logging.getLogger(f"{OURS}.{name}").setLevel(logging.NOTSET)
    logging.getLogger(OURS).setLevel(settings.level.upper())
    for name, level in settings.levels.items():
        logging.getLogger(f"{OURS}.{name}").setLevel(level.upper())


class _Prioritised(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"<{PRIORITIES.get(record.levelno, 5)}>{super().format(record)}"


def _renderers(core: CoreSettings, stream: TextIO) -> list[Processor]:
    in_doubt = stream.isatty() or core.environment == "development"
    if core.log.format == "text" or (core.log.format == "auto" and in_doubt):
        return [_escape, structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=0)]
    return [structlog.processors.JSONRenderer(ensure_ascii=True)]


def _escape(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Take the power from what a terminal obeys; tracebacks keep their lines."""
    return {name: _escaped(value, "\n" if name == "exception" else "") for name, value in event.items()}


def _escaped(value: Any, but: str) -> Any:
    if not isinstance(value, str):
        return value
    return "".join(char if char.isprintable() or char in but else ascii(char)[1:-1] for char in value)


def _mask(redactor: Redactor, _logger: Any, _method: str, event: EventDict) -> EventDict:
    masked: EventDict = redactor.mask_all(event)
    return masked
