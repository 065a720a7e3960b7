"""What can be set of any source of transcripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Struct, field

from ccod import Bytes, ConfigError, FilePath, Seconds, setting


class TailSettings(Struct, forbid_unknown_fields=True):
    """A source's own class follows from it, says what its `roots` are and where they are by default."""

    roots: list[FilePath] = field(default_factory=list)
    max_line: Annotated[Bytes, setting("A longer line is kept in pieces and not parsed.")] = 16 * 2**20
    scan_interval: Annotated[
        Seconds, setting("Pause between two looks at every file, which find what the watcher missed.", live=True)
    ] = 2
    scan_interval_idle: Annotated[
        Seconds, setting("The pause doubles up to this while nothing happens.", live=True)
    ] = 30
    check_after: Annotated[
        Seconds,
        setting("A file that grew is read again so long after, to see whether what was read of it is still the same."),
    ] = 60
    watcher: Annotated[
        Literal["auto", "inotify", "watchfiles", "none"],
        setting("What tells of changes at once; `auto` is inotify on Linux and watchfiles elsewhere."),
    ] = "auto"
    history_after: Annotated[
        Seconds,
        setting(
            "A file first found this long after its last change is history, and so is what the first look at a root"
            " finds: stored, but no news."
        ),
    ] = 300


def require_named(table: str, roots: Sequence[str]) -> None:
    """Raise ConfigError where one of the `roots` of a table is empty."""
    if not all(root.strip() for root in roots):
        raise ConfigError(f"[{table}] roots: one of them is empty; name a folder there, or remove it")
