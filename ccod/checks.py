"""What `ccod doctor` finds out. Each plugin looks at what is its own: see the hook `ccod_checks`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

FindingState = Literal["ok", "warning", "problem"]


class Finding(Struct, frozen=True):
    """What was looked at, and how it is.

    `code` names the kind, as a section of docs/troubleshooting.md does; several findings may bear the same. `text` says
    what is so, and where. `fix` is the one command that mends it, as it is typed in a shell. Where no command can, it
    says what a person must do, with commands in backquotes. It is empty where all is well.
    """

    code: str
    state: FindingState
    text: str
    fix: str = ""
