"""Reads files again that were written to, for one may have been rewritten where reading has long passed.

What an appended line costs must not depend on what stands before it, so this happens later, in the background.
"""

from __future__ import annotations

import trio

from ccod_jsonl.files import ReplacedError, checksum
from ccod_jsonl.lanes import Lanes
from ccod_jsonl.transcripts import Transcript

PORTION = 2**20
SHARE = 10
"""A pause is so many times as long as the reading before it."""


async def check(lanes: Lanes) -> None:
    """Check one transcript after the other; let it be read, so that what was found is stored."""
    while True:
        transcript = await lanes.checks.take()
        unchanged = await _is_unchanged(transcript)
        if unchanged is not None:
            transcript.proved, transcript.rewritten = unchanged, not unchanged
            lanes.put(transcript)


async def _is_unchanged(transcript: Transcript) -> bool | None:
    """Tell whether what was read of a file still stands there; None if that cannot be told now."""
    position, mark = transcript.position, transcript.mark
    at = found = 0
    while at < position.offset:
        end = min(at + PORTION, position.offset)
        began = trio.current_time()
        try:
            found = await trio.to_thread.run_sync(checksum, transcript.found, at, end, found)
        except (OSError, ReplacedError):
            return None  # the next scan tells of it
        await trio.sleep(SHARE * (trio.current_time() - began))
        at = end
    if transcript.position != position or transcript.gone or transcript.superseded or transcript.misses:
        return None  # what happened meanwhile asks for another check, or makes it needless
    return found == mark.whole
