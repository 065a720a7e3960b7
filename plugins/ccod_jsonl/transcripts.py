"""One transcript that is followed, and what of it outlives the process."""

from __future__ import annotations

import msgspec
import structlog
from msgspec import Struct

from ccod import Checkpoint, Stream, decoder
from ccod_jsonl.layout import Place
from ccod_jsonl.reading import Position

Signature = tuple[int, int, int, int, int]
"""A file's device, inode, size and the times of its last changes: while it stays the same, so do the bytes."""


NOWHERE: Signature = (0, 0, 0, 0, 0)

log = structlog.get_logger("ccod.jsonl")


class Found(Struct, frozen=True, gc=False):
    """A transcript file as a scan saw it: `path` as text, `parts` below `root` as the file system names them.

    `place` is what they stand for; None where only a checkpoint tells of the file.
    """

    path: str
    root: str
    parts: tuple[str, ...]
    signature: Signature
    place: Place | None = None

    @property
    def identity(self) -> tuple[int, int]:
        return self.signature[:2]

    @property
    def size(self) -> int:
        return self.signature[2]

    @property
    def modified(self) -> float:
        """When its content last changed, in seconds since 1970."""
        return self.signature[3] / 1e9


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """Checksums of what was read: of a file's first bytes, of those before an offset, and of all up to there.

    The first two tell at each reading whether it still is the same file, the third tells for certain, now and then.
    """

    head: int = 0
    tail: int = 0
    whole: int = 0


class Transcript(Struct, eq=False):
    """A file that is followed as one stream, of which `position` and what belongs to it say how much is stored.

    `stream` is None until the first record is read. Bytes before `history_end` were there before this observatory.
    `signature` is the file's as of the last reading. `gone` means that its deletion was told, `superseded` that it
    was truncated or rewritten and goes on as another stream, its successor. `unchecked` means that it was written to
    since all of it was last read, `proved` that it was found unchanged since, `rewritten` that it was not.
    `misses` counts the scans that did not find it.
    The task that reads it holds it; news that come meanwhile ask for it to be read `again`.
    """

    found: Found
    stream: Stream | None = None
    position: Position = Position()
    mark: Mark = Mark()
    history_end: int = 0
    signature: Signature | None = None
    generation: int = 1
    gone: bool = False
    superseded: bool = False
    predecessor: Transcript | None = None
    unchecked: bool = False
    proved: bool = False
    rewritten: bool = False
    misses: int = 0
    held: bool = False
    again: bool = False
    warned: bool = False

    @property
    def is_history(self) -> bool:
        return self.position.offset < self.history_end

    @property
    def history_left(self) -> int:
        return max(self.history_end - self.position.offset, 0)

    @property
    def has_moved(self) -> bool:
        return self.stream is not None and self.stream.path != self.found.path

    @property
    def is_read(self) -> bool:
        """Whether the last reading came to the end, and nothing has changed since."""
        at_end = self.signature == self.found.signature and self.position.searched >= self.found.size
        return at_end and not (self.is_history or self.gone or self.has_moved)


class State(Struct, frozen=True, gc=False, omit_defaults=True):
    """What a checkpoint says of a transcript beside the offset."""

    signature: Signature | None = None
    mark: Mark = Mark()
    piece: int = 0
    searched: int = 0
    history_end: int = 0
    generation: int = 1
    gone: bool = False
    superseded: bool = False
    unchecked: bool = False


def checkpoint(transcript: Transcript) -> Checkpoint:
    offset, piece, searched = transcript.position
    state = State(
        transcript.signature,
        transcript.mark,
        piece,
        searched,
        transcript.history_end,
        transcript.generation,
        transcript.gone,
        transcript.superseded,
        transcript.unchecked,
    )
    return Checkpoint(offset, msgspec.json.encode(state).decode())


def restored(stream: Stream, checkpoint: Checkpoint) -> Transcript:
    """Return the transcript as it was when `checkpoint` was stored; a scan tells where it is now."""
    try:
        state = decoder(State).decode(checkpoint.state)
    except msgspec.DecodeError:
        log.warning("unreadable checkpoint, the file is read again", file=stream.path)
        state = State()
    signature = state.signature
    return Transcript(
        Found(stream.path, "", (), signature or NOWHERE),
        stream,
        Position(checkpoint.offset, state.piece, state.searched),
        state.mark,
        state.history_end,
        signature,
        state.generation,
        state.gone,
        state.superseded,
        unchecked=state.unchecked,
    )
