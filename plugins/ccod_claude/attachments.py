"""Files beside a transcript: tools' output that did not fit into it, and what subagents were started for."""

from __future__ import annotations

from collections.abc import Iterable

from ccod import Content, Entry, Record, Stream, Unparsed

FORMAT = "claude-attachment"


class AttachmentParser:
    """The parser of the format "claude-attachment", which is kept as it is: nothing of it is a record."""

    format = FORMAT
    version = "1"

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:  # noqa: ARG002
        return ()

    def content(self, body: bytes) -> Content:
        return Content(body.decode(errors="replace"))
