"""The source: transcripts of Claude Code, as they grow."""

from __future__ import annotations

from ccod import Metrics
from ccod_claude import attachments, parser
from ccod_claude.layout import SUFFIXES, conversation, is_entered, place
from ccod_claude.settings import ClaudeSettings
from ccod_jsonl.tail import JsonlSource, Layout

LAYOUT = Layout(
    SUFFIXES, place, {"transcript": parser.FORMAT, "attachment": attachments.FORMAT}, is_entered, conversation
)


class ClaudeSource(JsonlSource):
    """Follows every transcript below some `projects` folders; see `ccod.Source`."""

    def __init__(self, settings: ClaudeSettings, metrics: Metrics | None = None) -> None:
        super().__init__("claude", settings, LAYOUT, metrics)
