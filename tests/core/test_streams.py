"""A reader that goes away early is no error: the command ends at once, and says nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ccod.testing.home import MEASURED


@pytest.mark.parametrize("arguments", [["config", "--example"], ["man", "--markdown"], ["doctor", "--all"], ["--help"]])
@pytest.mark.parametrize("is_merged", [False, True])
def test_nobody_reads(tmp_path: Path, arguments: list[str], is_merged: bool) -> None:
    code, said = unread(tmp_path, *arguments, is_merged=is_merged)
    assert (code, said) == (141, b"")


def test_an_error_that_nobody_reads_keeps_its_code(tmp_path: Path) -> None:
    assert unread(tmp_path, "config", "get", "htp.port", is_merged=True) == (78, b"")


def unread(home: Path, *arguments: str, is_merged: bool = False) -> tuple[int, bytes]:
    """Return the exit code, and what is said on stderr, of a command whose output is a pipe without a reader."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", "from ccod.cli import main; main()", *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "XDG_CONFIG_HOME": str(home), **MEASURED},
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=write if is_merged else subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(write)
    return done.returncode, done.stderr or b""


def test_streams_that_a_careless_parent_closed_are_opened() -> None:
    program = "from ccod.streams import open_missing; open_missing(); import sys; sys.stdin.read(); print('heard')"
    shell = ["/bin/sh", "-c", 'exec "$@" <&- 2>&-', "sh", sys.executable, "-c", f"{program}; print(0, file=sys.stderr)"]
    done = subprocess.run(shell, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "heard\n")


def test_control_c_ends_a_command_that_waits_for_the_daemon(tmp_path: Path) -> None:
    (folder := tmp_path / "ccod").mkdir()
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # which `nohup` takes away
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(folder / "ccod.sock"))
        mute.listen()
        process = subprocess.Popen(
            [sys.executable, "-c", f"{heeding}; from ccod.start import main; main()", "status"],
            env={"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), **MEASURED},
        )
        with mute.accept()[0] as asked:
            asked.recv(1)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
