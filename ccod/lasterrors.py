"""The last error of each plugin in the daemon, kept in a file for `ccod plugins`, which is a process of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from ccod.faults import Plugin
from ccod.files import write_private

FILE = "plugin-errors.json"
LOOK_SECONDS = 1.0


async def keep(plugins: Sequence[Plugin], folder: Path) -> None:
    """Write the file anew each time that one of them has another last error; what an earlier daemon wrote goes."""
    import structlog
    import trio  # here, so that commands start without them

    kept: dict[str, str] | None = None
    while True:
        errors = {plugin.name: plugin.error for plugin in plugins if plugin.error}
        if errors != kept:
            kept = errors
            try:
                await trio.to_thread.run_sync(write_private, folder / FILE, msgspec.json.encode(errors))
            except OSError as error:
                structlog.get_logger("ccod").warning(
                    "`ccod plugins` cannot tell what failed here", file=str(folder / FILE), reason=str(error)
                )
        await trio.sleep(LOOK_SECONDS)


def last_errors(folder: Path) -> Mapping[str, str]:
    """Return what the daemon kept that runs, or ran last, by the names of plugins; nothing where it kept none."""
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((folder / FILE).read_bytes(), type=dict[str, str])
    return {}
