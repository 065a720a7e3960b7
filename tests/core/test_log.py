"""Every log line is one record, whatever stands in it."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from ccod import log
from ccod.repetition import KINDS, MOST, PERIOD_SECONDS, Repetition
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


@given(st.text(), st.text())
def test_whatever_is_logged_is_one_json_object_on_one_line(event: str, value: str) -> None:
    stream, logger = logged(LogSettings())
    logger.error(event, path=value)
    logging.getLogger("library").error("%s", value)
    lines = stream.getvalue().split("\n")
    assert [json.loads(line)["event"] for line in lines[:-1]] == [event, value]
    assert lines[-1] == ""


@given(st.text(alphabet=st.sampled_from("a\n\r\x1b\x9b\u2028\u202e\x7f\x00"), min_size=1))
def test_text_never_obeys_what_is_logged(value: str) -> None:
    stream, logger = logged(LogSettings(format="text"))
    logger.error(value, path=value)
    assert len(stream.getvalue().splitlines()) == 1
    assert all(char.isprintable() for char in stream.getvalue().rstrip("\n"))


def test_parts_have_levels_of_their_own_which_change_while_all_runs() -> None:
    stream, _ = logged(first := LogSettings(level="warning", levels={"http": "debug"}))
    http, ws = structlog.get_logger("ccod.http.request"), structlog.get_logger("ccod.ws")
    http.debug("1")
    ws.info("no")
    log.set_levels(LogSettings(level="info", levels={"ws": "error"}), first)
    http.debug("no")
    http.info("2")
    ws.warning("no")
    log.set_levels(LogSettings(), LogSettings(levels={"ws": "error"}))
    ws.info("3")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["1", "2", "3"]


def test_the_journal_is_told_the_priority_of_each_line(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        environ = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        log.set_up(CoreSettings(log=LogSettings(level="debug")), stream, environ=environ)
        logger = structlog.get_logger("ccod.test")
        for level in ("debug", "info", "warning", "error"):
            getattr(logger, level)(HOSTILE)
        stream.seek(0)
        lines = stream.read().splitlines()
    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>"]
    assert {json.loads(line[3:])["event"] for line in lines} == {HOSTILE}


def test_the_journal_is_told_that_a_failed_start_is_an_error() -> None:
    command = [str(Path(sys.executable).with_name("ccod")), "serve"]
    ours, its = socket.socketpair()
    with ours, its:
        status = os.fstat(its.fileno())
        environ = os.environ | {"CCOD_HTTP__PORT": "x", "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        subprocess.run(command, env=environ, stderr=its.fileno(), check=False)
        assert ours.recv(1000).startswith(b"<3>ccod: environment: CCOD_HTTP__PORT")


def test_what_repeats_is_held_back_and_counted() -> None:
    now = 0.0
    repetition = Repetition(lambda: now)

    def through(count: int, level: int = logging.WARNING, **event: object) -> list[logging.LogRecord]:
        records = [logging.LogRecord("ccod", level, "", 0, dict(event), (), None) for _ in range(count)]
        return [record for record in records if repetition.filter(record)]

    assert len(through(MOST + 5, event="failed", path="/a")) == MOST
    assert len(through(1, event="failed", path="/b")) == 0
    assert len(through(1, event="another")) == 1
    assert len(through(1000, logging.INFO, event="request")) == 1000
    now = PERIOD_SECONDS
    first, second = through(2, event="failed")
    assert first.msg == {"event": "failed", "held_back": 6}
    assert second.msg == {"event": "failed"}


def test_a_library_s_message_is_of_one_kind_whatever_its_arguments() -> None:
    now = 0.0
    repetition = Repetition(lambda: now)
    records = [logging.LogRecord("lib", logging.ERROR, "", 0, "bad %s", (n,), None) for n in range(MOST + 3)]
    assert sum(map(repetition.filter, records)) == MOST
    now = PERIOD_SECONDS
    record = logging.LogRecord("lib", logging.ERROR, "", 0, "bad %s", ("100 %d",), None)
    assert repetition.filter(record)
    assert record.getMessage() == "bad 100 %d (held back: 3)"


def test_what_comes_seldom_is_told_as_it_is() -> None:
    now = 0.0
    repetition = Repetition(lambda: now)
    record = logging.LogRecord("lib", logging.ERROR, "", 0, "bad", (), None)
    assert repetition.filter(record)
    now = PERIOD_SECONDS
    assert repetition.filter(record)
    assert record.getMessage() == "bad"


def test_of_many_kinds_the_one_that_was_heard_longest_ago_is_forgotten() -> None:
    repetition = Repetition(lambda: 0.0)

    def passes(kind: int) -> bool:
        return repetition.filter(logging.LogRecord("lib", logging.ERROR, "", 0, f"bad {kind}", (), None))

    assert [passes(0) for _ in range(MOST + 1)] == [*MOST * [True], False]
    assert all(passes(kind) for kind in range(1, KINDS + 1))
    assert passes(0)


def test_what_is_no_text_is_shown_to_people_as_it_is() -> None:
    stream, logger = logged(LogSettings(format="text"))
    logger.info("stored", count=3, file="a\x1bb")
    assert "count=3" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
