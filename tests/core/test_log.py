"""Every log line is one record, whatever stands in it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from ccod import log
from ccod.settings import CoreSettings, LogSettings

HOSTILE = "a\nb\r\x1b[31m\u2028\u202e\ud800\x00 end"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def logged(settings: LogSettings, environment: str = "production") -> tuple[io.StringIO, structlog.stdlib.BoundLogger]:
    stream = io.StringIO()
    log.set_up(CoreSettings(log=settings, environment=environment), stream)  # type: ignore[arg-type]
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("ccod.test")
    return stream, logger


def test_json_lines_bear_time_level_logger_and_fields() -> None:
    stream, logger = logged(LogSettings())
    logger.warning("unreadable record", file=HOSTILE, offset=7)
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "event": "unreadable record",
        "file": HOSTILE,
        "offset": 7,
        "level": "warning",
        "logger": "ccod.test",
    }
    assert line.isascii()


def test_the_standard_library_s_records_take_the_same_form() -> None:
    stream, _ = logged(LogSettings())
    logging.getLogger("hypercorn.error").error("careful: %s", HOSTILE)
    assert json.loads(stream.getvalue())["event"] == f"careful: {HOSTILE}"


def test_the_level_holds_for_ours_and_others_are_heard_from_warning_on() -> None:
    stream, logger = logged(LogSettings(level="error"))
    logger.warning("no")
    logging.getLogger("other").info("no")
    assert stream.getvalue() == ""
    logger.error("yes")
    assert len(stream.getvalue().splitlines()) == 1


def test_an_exception_stays_on_the_line() -> None:
    stream, logger = logged(LogSettings())
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logger.exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError" in json.loads(line)["exception"]


def test_text_is_for_people_and_escapes_what_is_hostile() -> None:
    stream, logger = logged(LogSettings(format="text"))
    logger.info("hello", file=HOSTILE)
    assert "hello" in stream.getvalue()
    assert "\x1b[31m" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 1


def test_development_reads_as_text() -> None:
    stream, logger = logged(LogSettings(), environment="development")
    logger.info("hello")
    assert not stream.getvalue().startswith("{")
