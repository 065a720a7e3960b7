"""Files are written, cut, moved, replaced and deleted at random, with restarts: in the end all is told right."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
import trio

from ccod.testing.intake import PATIENCE, MemoryIntake
from tests.plugins.claude.claude_house import append, following, whole_records

NAMES = [f"{project}/{session}.jsonl" for project in ("p", "q") for session in "abc"]


class Writer:
    """Does to the files below a root whatever can be done to files."""

    def __init__(self, root: Path, random: Random) -> None:
        self._root = root
        self._random = random
        self._lines = 0

    def files(self) -> list[Path]:
        return sorted(self._root.rglob("*.jsonl"))

    def act(self) -> None:
        actions = {self._append: 10, self._append_half: 2, self._cut: 2, self._move: 2, self._delete: 2}
        actions |= {self._rewrite: 1, self._replace: 1, self._swap_folders: 1}
        path = self._root / self._random.choice(NAMES)
        path.parent.mkdir(exist_ok=True)
        self._random.choices(list(actions), list(actions.values()))[0](path)

    def _line(self) -> bytes:
        self._lines += 1
        return b'{"n":%d,"pad":"%s"}\n' % (self._lines, b"x" * self._random.choice([0, 10, 300, 2000]))

    def _append(self, path: Path) -> None:
        append(path, b"".join(self._line() for _ in range(self._random.randrange(1, 5))))

    def _append_half(self, path: Path) -> None:
        append(path, self._line()[: self._random.randrange(1, 10)])

    def _cut(self, path: Path) -> None:
        if path.exists():
            content = path.read_bytes()
            with path.open("rb+") as file:
                file.truncate(self._random.randrange(len(content) + 1))

    def _move(self, path: Path) -> None:
        if files := self.files():
            self._random.choice(files).rename(path)

    def _delete(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def _rewrite(self, path: Path) -> None:
        path.write_bytes(self._line())

    def _replace(self, path: Path) -> None:
        fresh = path.with_suffix(".tmp")
        fresh.write_bytes(self._line())
        fresh.replace(path)

    def _swap_folders(self, path: Path) -> None:
        one, other = (self._root / name for name in ("p", "q"))
        if one.exists() and other.exists():
            aside = one.rename(self._root / "aside")
            other.rename(one)
            aside.rename(other)


def is_told_right(files: list[Path], intake: MemoryIntake) -> bool:
    """Tell whether each file has one stream that goes on, with all its complete lines, and no other stream does."""
    going_on: dict[str, list[bytes]] = {}
    for stream, checkpoint in intake.streams.values():
        state = json.loads(checkpoint.state)
        if not state.get("gone") and not state.get("superseded"):
            going_on.setdefault(stream.path, []).append(intake.bytes[stream.key])
    complete = {str(file): whole_records(file.read_bytes()) for file in files}
    return all(going_on.get(path, [b""]) == [content] for path, content in complete.items()) and (
        going_on.keys() <= complete.keys()
    )


@pytest.mark.parametrize("watcher", ["none", "auto"])
@pytest.mark.parametrize("seed", range(12))
async def test_turmoil(tmp_path: Path, watcher: str, seed: int) -> None:
    root = tmp_path / "projects"
    root.mkdir()
    random = Random(seed)
    writer, intake = Writer(root, random), MemoryIntake()
    for _ in range(3):
        async with following(root, intake, watcher=watcher, scan_interval=0.01, scan_interval_idle=0.01):
            for _ in range(random.randrange(1, 25)):
                writer.act()
                await trio.sleep(random.choice([0, 0, 0.005]))
            with trio.fail_after(PATIENCE):
                while not is_told_right(writer.files(), intake):
                    await trio.sleep(0.01)
        intake = intake.restarted()
        for _ in range(random.randrange(10)):
            writer.act()
