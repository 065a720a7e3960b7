"""What can happen to a file that is followed, case by case: nothing is lost, doubled or invented.

python -m tests.faults.tailing
"""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
import trio

from tests.faults.house import OTHER, House

Case = Callable[[House], Awaitable[None]]
CASES: dict[str, Case] = {}


def case(name: str) -> Callable[[Case], Case]:
    def add(work: Case) -> Case:
        assert name not in CASES, name
        CASES[name] = work
        return work

    return add


async def follow(name: str, house: House) -> None:
    """Run one case in an empty house, and check what is stored in the end, also after a restart."""
    await CASES[name](house)
    async with house.running():
        await house.settled()
        await house.check()


async def _stored(house: House, data: bytes) -> None:
    house.append(data)
    await house.settled()


# ---------------------------------------------------------------- growing


@case("appended while followed")
async def _(house: House) -> None:
    async with house.running():
        for _ in range(5):
            await _stored(house, house.lines(2))


@case("appended by one byte at a time")
async def _(house: House) -> None:
    async with house.running():
        for byte in house.lines(2):
            house.append(bytes([byte]))
            await trio.lowlevel.checkpoint()
        await house.settled()


@case("appended while away")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2))
    house.append(house.lines(3))


@case("half a line, the rest after a restart")
async def _(house: House) -> None:
    line = house.line()
    async with house.running():
        await _stored(house, house.lines(2) + line[:40])
    house.append(line[40:])


@case("half a line that is taken back")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, (before := house.lines(2)) + b'{"type":"us')
        os.truncate(house.file, len(before))
        await _stored(house, house.lines(2))


@case("a last line without newline, for ever")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2) + house.line("mode", mode="plan")[:-1])


@case("cut inside a character")
async def _(house: House) -> None:
    line = house.line("ai-title", aiTitle="Gärten").replace(b"\\u00e4", "ä".encode())
    at = line.index("ä".encode()) + 1
    async with house.running():
        await _stored(house, house.lines(1) + line[:at])
        await _stored(house, line[at:])


@case("two writers in turns")
async def _(house: House) -> None:
    async with house.running():
        with house.file.open("ab", buffering=0) as one, house.file.open("ab", buffering=0) as other:
            for number in range(10):
                (one, other)[number % 2].write(house.line())
                await trio.lowlevel.checkpoint()
        await house.settled()


@case("a thousand lines at once")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(1000))


@case("carriage returns before newlines")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(3).replace(b"\n", b"\r\n"))


@case("a byte order mark first")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, b"\xef\xbb\xbf" + house.lines(3))


@case("blank lines between")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, b"\n\n" + house.lines(1) + b" \n\t\n" + house.lines(1))


@case("a cut record before a good one")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, b'{"type":"user","uuid":"x","message":{"con' + house.lines(2))


@case("records without a newline between")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.line()[:-1] + house.line())


@case("NUL bytes before a record")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(1) + bytes(300) + house.lines(1))


@case("a hole in the middle")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(1))
        with house.file.open("rb+") as file:
            file.seek(100_000)
            file.write(b"\n" + house.line())
        await house.settled()


@case("files of 0, 1, 1023 and 1024 bytes")
async def _(house: House) -> None:
    for number, size in enumerate((0, 1, 1023, 1024)):
        (house.project / f"{OTHER[:-1]}{number}.jsonl").write_bytes(b"\n" * size)
    async with house.running():
        await house.settle_to(3)


# ---------------------------------------------------------------- shrinking and changing


@case("truncated to nothing")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(3))
        os.truncate(house.file, 0)
        await _stored(house, house.lines(1))
        await house.settle_to(2)


@case("truncated to nothing, then deleted")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(3))
        os.truncate(house.file, 0)
        await house.rewritten()
        house.file.unlink()
        await house.deleted()


@case("truncated to nothing, deleted while away")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(3))
        os.truncate(house.file, 0)
        await house.rewritten()
    house.file.unlink()
    async with house.running():
        await house.deleted()


@case("truncated by its last line")
async def _(house: House) -> None:
    async with house.running():
        before = house.lines(3)
        await _stored(house, before + house.line("mode", mode="plan") + house.line())
        os.truncate(house.file, len(before))
        await house.settle_to(2)
        await _stored(house, house.line("mode", mode="plan") + house.lines(2))


@case("truncated, then longer than before")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2))
        house.file.write_bytes(house.lines(8))
        await house.settle_to(2)


@case("truncated while away")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, before := house.lines(4))
    house.file.write_bytes(before[: before.index(b"\n") + 1])


@case("rewritten at the same size")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, before := house.lines(4))
        house.file.write_bytes(before.replace(b"message 4", b"MESSAGE 4"))
        await house.settle_to(2)


@case("one byte changed in the middle")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(200))
        _patch(house.file, house.file.stat().st_size // 2)
        await house.settle_to(2)


@case("one byte changed in the middle, and a line appended")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(200))
        _patch(house.file, house.file.stat().st_size // 2)
        house.append(house.lines(1))
        await house.settle_to(2)


@case("one byte changed in the middle while away, and a line appended")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(200))
    _patch(house.file, house.file.stat().st_size // 2)
    house.append(house.lines(1))
    async with house.running():
        await house.settle_to(2)


@case("changed and appended just before the end")
async def _(house: House) -> None:
    """The daemon ends before it could check: it does so after its next start."""
    async with house.running(check_after=3600):
        await _stored(house, house.lines(200))
        _patch(house.file, house.file.stat().st_size // 2)
        size = house.file.stat().st_size
        house.append(house.lines(1))
        await house.grown(size)
    async with house.running():
        await house.settle_to(2)


@case("modification time set back")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2))
        house.append(house.lines(2))
        os.utime(house.file, (1, 1))
        await house.settled()


@case("touched only")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2))
        house.file.touch()
        await trio.sleep(0.2)
        assert await house.stream_count() == 1


# ---------------------------------------------------------------- moving


@case("renamed within its folder")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2))
        moved = house.file.rename(house.file.with_name(f"{OTHER}.jsonl"))
        house.append(house.lines(2), moved)
        await house.settled()
        assert await house.stream_count() == 1


@case("its folder renamed")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2))
        folder = house.project.rename(house.root / "elsewhere")
        house.append(house.lines(2), folder / house.file.name)
        await house.settled()


@case("moved out of the root and back")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2))
        outside = house.file.rename(house.root.parent / "outside")
        await house.deleted()
        outside.rename(house.file)
        await _stored(house, house.lines(2))


@case("two files swapped")
async def _(house: House) -> None:
    other = house.file.with_name(f"{OTHER}.jsonl")
    async with house.running():
        house.append(house.lines(2))
        house.append(house.lines(2), other)
        await house.settle_to(2)
        aside = house.file.rename(house.file.with_name("aside"))
        other.rename(house.file)
        aside.rename(other)
        await _stored(house, house.lines(1))


@case("replaced by another file")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(3))
        fresh = house.file.with_suffix(".tmp")
        fresh.write_bytes(house.lines(5))
        fresh.replace(house.file)
        await house.settle_to(2)


@case("replaced by a copy of itself")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(3))
        fresh = Path(shutil.copy(house.file, house.file.with_suffix(".tmp")))
        house.append(house.lines(1), fresh)
        fresh.replace(house.file)
        await house.settled()
        assert await house.stream_count() == 1


@case("copied under another name")
async def _(house: House) -> None:
    """A fork of the session: both conversations have all messages."""
    async with house.running():
        await _stored(house, house.lines(300))
        copy = Path(shutil.copy(house.file, house.file.with_name(f"{OTHER}.jsonl")))
        house.append(house.lines(1), copy)
        house.append(house.lines(1))
        await house.settle_to(2)


@case("copied into another folder")
async def _(house: House) -> None:
    """Two files of one session: each message is shown once, and the session has a file until both are gone."""
    async with house.running():
        await _stored(house, house.line("mode", mode="plan") + house.lines(3))
        (house.root / "other").mkdir()
        copy = Path(shutil.copy(house.file, house.root / "other" / house.file.name))
        await house.settle_to(2)
        house.append(house.lines(1), copy)
        await house.settled()
        house.file.unlink()
        await house.settled()
        assert await house.shown_file() == str(copy)


@case("a hard link beside it")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2))
        house.file.with_name(f"{OTHER}.jsonl").hardlink_to(house.file)
        await _stored(house, house.lines(2))
        assert await house.stream_count() == 1


@case("a symbolic link beside it")
async def _(house: House) -> None:
    async with house.running():
        house.file.with_name(f"{OTHER}.jsonl").symlink_to(house.file)
        await _stored(house, house.lines(2))
        assert await house.stream_count() == 1


@case("below two roots")
async def _(house: House) -> None:
    house.roots = [str(house.root), str(house.root.parent), str(house.project)]
    async with house.running():
        await _stored(house, house.lines(2))
        await _stored(house, house.lines(2))
        assert await house.stream_count() == 1


# ---------------------------------------------------------------- going


@case("deleted")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2))
        house.file.unlink()
        await house.deleted()


@case("deleted while away")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(2))
    house.file.unlink()
    async with house.running():
        await house.deleted()


@case("deleted and made again at once, with the same inode")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(3))
        house.file.unlink()
        house.append(house.lines(5))
        await house.settle_to(2)


@case("deleted and made again later")
async def _(house: House) -> None:
    async with house.running():
        await _stored(house, house.lines(3))
        house.file.unlink()
        await house.deleted()
        house.append(house.lines(2))
        await house.settle_to(2)
        assert await house.shown_file() == str(house.file)


@case("all of a project deleted")
async def _(house: House) -> None:
    async with house.running():
        for number in range(20):
            house.append(house.lines(1), house.project / f"{OTHER[:-2]}{number:02}.jsonl")
        await house.settle_to(20)
        shutil.rmtree(house.project)
        await house.settled()


def _patch(path: Path, offset: int) -> None:
    """Change one letter of a message's text at or after `offset`, and nothing else."""
    content = path.read_bytes()
    at = content.index(b"message ", offset)
    with path.open("rb+") as file:
        file.seek(at)
        file.write(b"M")


def main() -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    failed = 0
    for name in CASES:
        with tempfile.TemporaryDirectory(prefix="ccod-tailing-") as folder:
            try:
                trio.run(follow, name, House(Path(folder)))
            except Exception as error:  # noqa: BLE001
                failed += 1
                print(f"FAIL  {name}: {error!r}")
            else:
                print(f"pass  {name}")
    print(f"{len(CASES) - failed} of {len(CASES)} pass")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
