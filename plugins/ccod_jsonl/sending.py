"""Reads transcripts on and sends what is new, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import structlog
import trio

from ccod import Batch, Intake
from ccod_jsonl.catalogue import MISSES, Catalogue
from ccod_jsonl.files import Reading, ReplacedError, read_on
from ccod_jsonl.lanes import Lane, Lanes
from ccod_jsonl.transcripts import Transcript, checkpoint

log = structlog.get_logger("ccod.jsonl")


class Sender:
    """Reads one batch of a transcript at a time, the next one once that is stored."""

    def __init__(
        self, intake: Intake, catalogue: Catalogue, lanes: Lanes, in_doubt: Callable[[None], None], max_line: int
    ) -> None:
        self._intake = intake
        self._catalogue = catalogue
        self._lanes = lanes
        self._in_doubt = in_doubt
        self._max_line = max_line
        self._history_done = 0

    async def serve(self, lane: Lane) -> None:
        while True:
            transcript = await lane.take()
            transcript.held, transcript.again = True, False
            left = transcript.history_left
            more = self._catalogue.follows(transcript) and await self._advance(transcript)
            transcript.held = False
            if left:
                self._history_done += left - transcript.history_left
                self._intake.progress(self._history_done, self._catalogue.history_bytes)
            if more or transcript.again:
                self._lanes.put(transcript, first=True)

    async def _advance(self, transcript: Transcript) -> bool:
        """Send the next batch, or what else there is to tell; return whether there is more to read at once."""
        if transcript.misses >= MISSES:
            await self._tell_gone(transcript)
            return False
        try:
            reading = await trio.to_thread.run_sync(read_on, transcript, self._max_line)
        except FileNotFoundError:
            return False  # whether it went or moved is for the next surveys to say
        except ReplacedError:
            self._in_doubt(None)
            return False
        except OSError as error:
            self._tell_unreadable(transcript, error)
            return False
        transcript.warned = False
        if reading is None:
            await self._begin_anew(transcript)
            return False
        return await self._send(transcript, reading)

    async def _send(self, transcript: Transcript, reading: Reading) -> bool:
        change: Literal["add", "change"] | None = "change" if transcript.position.offset else "add"
        history = transcript.is_history
        progressed = reading.position != transcript.position
        if not reading.records and not transcript.gone and not transcript.has_moved:
            change = None
        has_news = transcript.gone or transcript.has_moved or (reading.proved and transcript.stream is not None)
        self._plan_check(transcript, reading)
        transcript.position, transcript.mark = reading.position, reading.mark
        transcript.signature = reading.signature
        transcript.gone = False
        if reading.records or has_news:
            beginning = b"".join(record.body for record in reading.records)
            transcript.stream = self._catalogue.stream(transcript, beginning)
            await self._intake.send(
                Batch(
                    transcript.stream,
                    reading.records,
                    checkpoint(transcript),
                    history,
                    change,
                    reading.size,
                    reading.rest,
                    reading.written_at,
                )
            )
        more = progressed and reading.position.searched < reading.size
        if not more:
            transcript.history_end = 0  # a line that is still being written is no history
        return more

    def _plan_check(self, transcript: Transcript, reading: Reading) -> None:
        """A file that was written to may have changed where it was read before, all the more if it did not grow.

        What of a line is there is kept once nobody writes to it any more. It may have been there already when the
        history before it was read, so that nothing but the place of reading tells of it.
        """
        has_changed = reading.signature != transcript.signature
        is_open = reading.position.offset < reading.position.searched
        has_begun = is_open and reading.position != transcript.position
        if (has_changed and (transcript.position.offset or is_open)) or has_begun:
            transcript.unchecked, transcript.proved = True, False
            self._lanes.checks.put(transcript, at_once=reading.size <= transcript.position.searched)
        elif reading.proved:
            transcript.unchecked = transcript.proved = False

    async def _begin_anew(self, transcript: Transcript) -> None:
        """The file is no longer the one that was read: what stands there now is another stream."""
        if self._catalogue.at(transcript.found.path) is not transcript:
            return  # another transcript moved there, and is read as such
        log.info("transcript was truncated or replaced", file=transcript.found.path)
        successor = self._catalogue.succeed(transcript)
        successor.held = True  # nothing of it is stored before the end of what stood there is
        if transcript.has_moved:
            await self._tell_gone(transcript)
        elif transcript.stream is not None:
            transcript.superseded = True
            size = transcript.found.size
            ended = Batch(transcript.stream, (), checkpoint(transcript), change="rewrite", size=size)
            await self._intake.send(ended)
        transcript.history_end = 0
        successor.held = False
        self._lanes.put(successor)

    async def _tell_gone(self, transcript: Transcript) -> None:
        transcript.history_end = 0
        if transcript.stream is None:
            self._catalogue.forget(transcript)
            if transcript.predecessor is not None:
                await self._tell_gone(transcript.predecessor)
        elif not transcript.gone:
            transcript.gone = True
            log.info("transcript was deleted", file=transcript.stream.path)
            await self._intake.send(Batch(transcript.stream, (), checkpoint(transcript), change="unlink"))

    def _tell_unreadable(self, transcript: Transcript, error: OSError) -> None:
        transcript.signature = None
        if not transcript.warned:
            transcript.warned = True
            log.warning(
                "transcript cannot be read, it is tried again",
                file=transcript.found.path,
                reason=error.strerror,
            )
