"""What a process notes of itself for the next one, in a process of its own: it opens the file once for all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ccod.dump import ALIVE, DUMP

NOTING = """
import sys
from pathlib import Path
from ccod.dump import DUMP, note_alive, open_dump
folder = Path(sys.argv[1])
note_alive(is_well=False)
assert open_dump(folder) == open_dump(folder)
for is_well in (True, False, False, True, False):
    note_alive(is_well=is_well)
    print((folder / DUMP).read_text().strip())
"""


def said(folder: Path) -> list[str]:
    done = subprocess.run([sys.executable, "-c", NOTING, folder], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_that_all_is_not_well_stands_there_only_while_it_is_so(tmp_path: Path) -> None:
    assert said(tmp_path / "state") == ["", ALIVE, ALIVE, "", ALIVE]
    assert (tmp_path / "state" / DUMP).stat().st_mode & 0o777 == 0o600


def test_the_folders_it_makes_are_the_owners_whatever_the_umask(tmp_path: Path) -> None:
    program = "import os, pathlib, sys, ccod.dump as d; os.umask(0); d.open_dump(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "state" / "ccod")], check=True)
    made = [tmp_path / "state", tmp_path / "state" / "ccod", tmp_path / "state" / "ccod" / DUMP]
    assert [f"{path.stat().st_mode & 0o777:o}" for path in made] == ["700", "700", "600"]


def test_where_no_file_can_be_made_the_log_gets_the_stacks(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    program = "import faulthandler, pathlib, sys, ccod.dump as d; print(d.open_dump(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", f"{program}; print(faulthandler.is_enabled())", str(tmp_path / "state")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "True"]
