"""Who blocked a process is found out from its stacks, left out, and let in again."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from ccod.dump import ALIVE, DUMP
from ccod.faults import Stranger
from ccod.limits import Overdue, interrupted
from ccod.past import LEFT_OUT, allow, culprit, past

BELL = Stranger("bell", "1", "/site/ccod_bell")
DUMPED = """main 0x7f02
Thread 0x00007f01 (most recent call first):
  File "/site/ccod_bell/other.py", line 3 in think
Thread 0x00007f02 (most recent call first):
  File "/lib/re.py", line 9 in match
  File "{place}", line 7 in deliver
  File "/site/trio/_core/_run.py", line 1 in run
"""


def test_the_innermost_line_of_the_main_thread_that_is_a_plugin_s_did_it() -> None:
    assert culprit(DUMPED.format(place="/site/ccod_bell/sink.py"), [BELL]) == (
        "bell",
        'File "/site/ccod_bell/sink.py", line 7 in deliver',
    )
    assert culprit(DUMPED.format(place="/site/ccod_bells/sink.py"), [BELL])[0] == ""
    assert culprit("asked bell\n" + DUMPED.format(place="/x"), [BELL])[0] == "bell"


def test_it_is_left_out_until_it_is_allowed_or_another_version(tmp_path: Path) -> None:
    assert past([BELL], tmp_path).left_out == {}
    (tmp_path / DUMP).write_text(DUMPED.format(place="/site/ccod_bell/sink.py"))
    assert [*past([BELL], tmp_path).left_out] == ["bell"]
    assert [*past([BELL], tmp_path).left_out] == ["bell"]
    assert past([Stranger("bell", "2", BELL.place)], tmp_path).left_out == {}
    assert allow("bell", tmp_path)
    assert not allow("bell", tmp_path)
    assert past([BELL], tmp_path).left_out == {}


def test_ccod_s_own_fault_leaves_nobody_out(tmp_path: Path) -> None:
    (tmp_path / DUMP).write_text(DUMPED.format(place="/site/ccod/bus.py"))
    found = past([BELL], tmp_path)
    assert (found.left_out, found.own) == ({}, 'File "/lib/re.py", line 9 in match')


def test_what_takes_too_long_is_interrupted_and_the_outer_time_stands_still_meanwhile() -> None:
    with interrupted(60), pytest.raises(Overdue, match="no answer"), interrupted(0.01):
        while True:
            with suppress(Exception):
                time.sleep(1)


HELD = """Fatal Python error: {why}

Thread 0x00007f01 (most recent call first):
  File "{worker}", line 3 in parse
Current thread 0x00007f02 (most recent call first):
  File "/site/trio/_core/_run.py", line 1 in run
"""
BELLS, CHIME = "/site/ccod_bell/parser.py", Stranger("chime", "1", "/site/chime.py")


def test_where_the_lock_is_held_it_is_who_computes_or_the_only_one_that_is_in_any_thread() -> None:
    assert culprit(HELD.format(why="Aborted", worker=BELLS), [BELL, CHIME])[0] == "bell"
    assert culprit(HELD.format(why="Aborted", worker="/site/ccod/parsing.py"), [BELL, CHIME])[0] == ""
    other = f'Thread 0x00007f03 (most recent call first):\n  File "{CHIME.place}", line 1 in x\n'
    assert culprit(f"{ALIVE}\n" + HELD.format(why="Aborted", worker=BELLS), [BELL, CHIME])[0] == ""
    both = HELD.format(why="Aborted", worker=BELLS) + other
    assert culprit(both, [BELL, CHIME])[0] == ""
    assert culprit(both.replace("Thread 0x00007f03", "Current thread 0x00007f03"), [BELL, CHIME])[0] == "chime"


def test_a_crash_is_only_ever_its_own_thread_s() -> None:
    assert culprit(HELD.format(why="Segmentation fault", worker=BELLS), [BELL])[0] == ""


def test_stacks_wait_for_who_knows_whose_they_are(tmp_path: Path) -> None:
    (tmp_path / DUMP).write_text(DUMPED.format(place="/site/ccod_bell/sink.py"))
    with (tmp_path / DUMP).open("a") as kept:
        assert past([CHIME], tmp_path).left_out == {}
        assert [*past([BELL, CHIME], tmp_path).left_out] == ["bell"]
        kept.write("the stacks of this process")
    assert (tmp_path / DUMP).read_text() == "the stacks of this process"


def test_who_was_asked_and_is_not_known_is_not_blamed() -> None:
    assert culprit("asked whistle\n" + DUMPED.format(place="/site/ccod_bell/sink.py"), [BELL])[0] == "bell"


def test_what_cannot_be_read_leaves_nobody_out(tmp_path: Path) -> None:
    (tmp_path / LEFT_OUT).write_text("{")
    assert past([BELL], tmp_path).left_out == {}


def test_what_nobody_is_blamed_for_is_told_once(tmp_path: Path) -> None:
    (tmp_path / DUMP).write_text(DUMPED.format(place="/site/ccod/bus.py"))
    with structlog.testing.capture_logs() as logs:
        past([BELL], tmp_path).tell(tmp_path)
        past([BELL], tmp_path).tell(tmp_path)
    assert [each["where"] for each in logs] == ['File "/lib/re.py", line 9 in match']
