"""Files beside a transcript: tools' output that did not fit into it, what subagents were started for, and journals."""

from __future__ import annotations

from collections.abc import Iterable

from ccod import Content, Entry, Record, Stream, Unparsed
from ccod_claude.layout import META_SUFFIX
from ccod_claude.spawning import described

FORMAT = "claude-attachment"


class AttachmentParser:
    """The parser of the format "claude-attachment". Of a subagent's description, all of it is one record."""

    format = FORMAT
    version = "2"

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        if stream.agent is None or record.offset or not stream.path.endswith(META_SUFFIX):
            return ()
        length = len(record.body)
        try:
            spawn = described(stream.agent, record.body)
        except (ValueError, RecursionError):
            return (Unparsed(0, length, "malformed"),)
        return (Entry(0, length, "subagent", spawns=(spawn,)),)

    def content(self, body: bytes) -> Content:
        return Content(body.decode(errors="replace"))
