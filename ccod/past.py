"""Knows from the stacks of a process that blocked which plugin did it, and leaves that one out."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from ccod.dump import ALIVE, DUMP
from ccod.faults import Stranger
from ccod.files import write_private

LEFT_OUT = "left-out.json"

_THREAD = re.compile(r"(Current thread|Thread) (0x[0-9a-f]+)")
_CRASH = re.compile(r"^Fatal Python error: (?!Aborted)", re.MULTILINE)
_FRAME = re.compile(r'  File "(.*)", line \d+ in [^"\n]*')


class Blocked(Struct):
    """Who blocked the daemon: the plugin's version and the innermost line of it, by its name."""

    version: str
    where: str


class Past(Struct):
    """What is known of earlier processes: why plugins are left out, and where one was blocked by nobody else's."""

    left_out: dict[str, str]
    own: str = ""

    def tell(self, folder: Path) -> None:
        """Tell the log of what nobody is blamed for, once."""
        import structlog  # here, so that commands start without it

        log = structlog.get_logger("ccod.watchdog")
        if self.own:
            log.error("the process before this crashed, or its event loop stood still", where=self.own)
            _put_away(folder)


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for what is known of earlier processes."""
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    home = environ.get("XDG_STATE_HOME", "")
    return Path(given) if given else (Path(home) if home else Path("~/.local/state").expanduser()) / "ccod"


def past(strangers: Sequence[Stranger], folder: Path) -> Past:
    """Find out whom an earlier process was blocked by, and remember it; tell who is to be left out.

    A plugin of another version than the one that did it is let in again. Where it was none of these strangers, the
    stacks are left for who knows others.
    """
    blocked = _read(folder)
    own = ""
    dump = _text(folder / DUMP)
    if _THREAD.search(dump):
        name, where = culprit(dump, strangers)
        if name:
            _put_away(folder)
            version = next(stranger.version for stranger in strangers if stranger.name == name)
            blocked[name] = Blocked(version, where)
            _write(folder, blocked)
        own = "" if name else where
    now = {stranger.name: stranger.version for stranger in strangers}
    return Past(
        {name: _why(each) for name, each in blocked.items() if now.get(name) == each.version},
        own,
    )


def _put_away(folder: Path) -> None:
    """Keep the stacks for a person. Their file stays, for this process may have it open for its own."""
    with suppress(OSError):
        write_private(folder / f"last-{DUMP}", (folder / DUMP).read_bytes())
        os.truncate(folder / DUMP, 0)


def allow(name: str, folder: Path) -> bool:
    """Let a plugin in again at the next start; tell whether it was left out."""
    blocked = _read(folder)
    found = blocked.pop(name, None)
    if found is not None:
        _write(folder, blocked)
    return found is not None


def culprit(dump: str, strangers: Sequence[Stranger]) -> tuple[str, str]:
    """Return the plugin of somebody else's that did it, "" for nobody, and the innermost line of it.

    Whoever was asked in another thread, and gave no answer, did it; or else who holds the main thread. Where nothing
    says which that is, the interpreter's lock was held: by the thread that was computing, or, where none was, by the
    only plugin that is in any. What crashes is only ever the thread that did.
    """
    names = {stranger.name for stranger in strangers}
    for name in re.findall(r"^asked (.*)$", dump, re.MULTILINE):
        if name in names:
            return name, "asked by the storage"
    main = re.search(r"^main (0x[0-9a-f]+)$", dump, re.MULTILINE)
    current, stacks = _stacks(dump)
    stack = stacks.get(int(main[1], 16) if main else current, [])
    found = _in_stack(stack, strangers)
    if found is None and not main and not _CRASH.search(dump) and ALIVE not in dump:
        others = [each for each in (_in_stack(frames, strangers) for frames in stacks.values()) if each]
        found = others[0] if len({name for name, _ in others}) == 1 else None
    return found or ("", stack[0].strip() if stack else "nowhere")


def _in_stack(frames: Sequence[str], strangers: Sequence[Stranger]) -> tuple[str, str] | None:
    """Return the plugin whose the innermost line is that is anybody's, and that line."""
    for frame in frames:
        file = _FRAME.fullmatch(frame)
        for stranger in strangers if file else ():
            if file and (file[1] == stranger.place or file[1].startswith(stranger.place + os.sep)):
                return stranger.name, frame.strip()
    return None


def _stacks(dump: str) -> tuple[int, dict[int, list[str]]]:
    """Return the thread that the signal came to, or else the last, and the frames of each, the innermost first."""
    current, thread = 0, 0
    stacks: dict[int, list[str]] = {}
    for line in dump.splitlines():
        if found := _THREAD.match(line):
            thread = int(found[2], 16)
            stacks[thread] = []
            current = thread if found[1] == "Current thread" else current
        elif _FRAME.fullmatch(line) and thread:
            stacks[thread].append(line)
    return current or thread, stacks


def _why(blocked: Blocked) -> str:
    return f"it stopped the daemon, which stood still in: {blocked.where}"


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _read(folder: Path) -> dict[str, Blocked]:
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(_text(folder / LEFT_OUT) or "{}", type=dict[str, Blocked])
    return {}


def _write(folder: Path, blocked: Mapping[str, Blocked]) -> None:
    write_private(folder / LEFT_OUT, msgspec.json.encode(blocked))
