"""Finds and reads transcript files. Writes nothing, and follows no symbolic link below a root."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from msgspec import Struct

from ccod import Record
from ccod_jsonl.layout import Layout, Place, readable
from ccod_jsonl.reading import Position, read_chunk, read_records, read_unended
from ccod_jsonl.transcripts import Found, Mark, Signature, Transcript

HEAD = 1024
TAIL = 256
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class ReplacedError(Exception):
    """At the path of a transcript stands a file that no scan has seen there; its own may have moved."""


class Survey(Struct):
    """The transcripts below some roots, and the folders that could not be looked into, or not be watched."""

    found: list[Found]
    blind: dict[str, OSError]
    unwatched: int = 0


class Reading(Struct, frozen=True):
    """Records that follow those read before, and what to remember of them.

    `rest` is what stands behind them without an end, once nobody writes to the file; None while that is open.
    `proved` says whether the file was known to be unchanged when it was read: a check may end while it is.
    """

    records: list[Record]
    position: Position
    mark: Mark
    signature: Signature
    rest: bytes | None
    proved: bool

    @property
    def size(self) -> int:
        return self.signature[2]

    @property
    def written_at(self) -> int:
        """When the file was last written to, in milliseconds since 1970."""
        return self.signature[3] // 1_000_000


def survey(
    layout: Layout, roots: Sequence[str], enter: Callable[[str], bool], known: Callable[[str], Found | None]
) -> Survey:
    """Find every transcript. `enter` is told of each folder before it is looked into, so that nothing is missed.

    It answers whether the folder is watched. `known` answers what was found at a path before: an unchanged file is
    that very object again, which costs least.
    """
    seen = Survey([], {})
    for root in roots:
        folders: list[tuple[str, ...]] = [()]
        while folders:
            parts = folders.pop()
            folder = "/".join((root, *parts))
            seen.unwatched += not enter(folder)
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            if layout.is_entered(inner := (*parts, entry.name)):
                                folders.append(inner)
                        elif found := _file(layout, root, parts, entry, known):
                            seen.found.append(found)
            except FileNotFoundError as error:
                if not parts:  # any other folder was there when its parent was listed
                    seen.blind[root] = error
                    enter(_nearest(root))
            except OSError as error:
                seen.blind[folder] = error
    return seen


def _file(
    layout: Layout,
    root: str,
    folder: tuple[str, ...],
    entry: os.DirEntry[str],
    known: Callable[[str], Found | None],
) -> Found | None:
    if not entry.name.endswith(layout.suffixes) or not entry.is_file(follow_symlinks=False):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    before = known(readable(entry.path))
    if before is not None and before.place and before.root == root and before.signature == _signature(status):
        return before
    parts = *folder, entry.name
    place = layout.place(parts)
    return _found(root, parts, place, status) if place else None


def _nearest(folder: str) -> str:
    return str(next(parent for parent in Path(folder).parents if parent.is_dir()))


def is_open(folder: str) -> bool:
    """Tell whether a folder that could not be looked into can be now."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                entry.stat(follow_symlinks=False)
                break
    except OSError:
        return False
    return True


def look(layout: Layout, roots: Sequence[str], paths: Iterable[str]) -> list[Found]:
    """Find those of `paths` that are transcripts below one of `roots`."""
    return [found for path in paths if (found := _look(layout, roots, path))]


def _look(layout: Layout, roots: Sequence[str], path: str) -> Found | None:
    root = next((root for root in roots if path.startswith(f"{root}/")), None)
    if root is None:
        return None
    parts = tuple(path.removeprefix(f"{root}/").split("/"))
    try:
        status = os.stat(path, follow_symlinks=False)  # noqa: PTH116
    except OSError:
        return None  # it went again; the next survey knows
    place = layout.place(parts)
    return _found(root, parts, place, status) if stat.S_ISREG(status.st_mode) and place else None


def _found(root: str, parts: tuple[str, ...], place: Place, status: os.stat_result) -> Found:
    return Found(readable("/".join((root, *parts))), root, parts, _signature(status), place)


def _signature(status: os.stat_result) -> Signature:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def read_on(transcript: Transcript, max_line: int) -> Reading | None:
    """Read what follows in a transcript; None if its file was truncated or rewritten.

    Raises OSError if it cannot be read, FileNotFoundError if there is none, ReplacedError if there is another.
    """
    if transcript.rewritten:
        return None
    with _opened(transcript.found) as (descriptor, signature):
        return _read(descriptor, transcript, max_line, signature)


def checksum(found: Found, start: int, end: int, before: int) -> int:
    """Return the checksum of a file up to `end`; `before` is that up to `start`. Raises as `read_on` does."""
    with _opened(found) as (descriptor, _):
        return crc32(os.pread(descriptor, end - start, start), before)


@contextmanager
def _opened(found: Found) -> Iterator[tuple[int, Signature]]:
    descriptor = _open_beneath(found.root, found.parts)
    try:
        signature = _signature(os.fstat(descriptor))
        if signature[:2] != found.identity:
            raise ReplacedError(found.path)
        yield descriptor, signature
    finally:
        os.close(descriptor)


def _open_beneath(root: str, parts: Sequence[str]) -> int:
    """Open a file for reading, step by step, so that no symbolic link can lead out of the root."""
    folder = os.open(root, FOLDER)
    try:
        for name in parts[:-1]:
            inner = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(parts[-1], FILE, dir_fd=folder)
    finally:
        os.close(folder)


def _read(descriptor: int, transcript: Transcript, max_line: int, signature: Signature) -> Reading | None:
    offset = transcript.position.offset
    end = transcript.history_end if transcript.is_history else sys.maxsize

    def read(at: int, size: int) -> bytes:
        return os.pread(descriptor, min(size, end - at), at) if at < end else b""

    before = min(offset, TAIL)
    head, tail = read(0, min(offset, HEAD)), read(offset - before, before)
    known_mark = transcript.mark
    if signature[2] < offset or (known_mark.head, known_mark.tail) != (crc32(head), crc32(tail)):
        return None
    known = min(transcript.position.searched, signature[2])
    place = transcript.found.place
    cut = read_chunk if place and place.kind == "attachment" else read_records
    records, position = cut(read, transcript.position._replace(searched=known), max_line)
    rest = None
    proved = transcript.proved and signature == transcript.signature
    if cut is read_records and position.searched >= min(end, signature[2]):
        unended, position = read_unended(read, position)
        records += unended
        if transcript.is_history or proved:
            rest = read(position.offset, position.searched - position.offset)
    body = b"".join(record.body for record in records)
    new_head, new_tail = (head + body[:HEAD])[:HEAD], (tail + body[-TAIL:])[-TAIL:]
    mark = Mark(crc32(new_head), crc32(new_tail), crc32(body, known_mark.whole))
    return Reading(records, position, mark, signature, rest, proved)
