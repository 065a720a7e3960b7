"""The public module for a source: `JsonlSource("mine", settings, layout)` follows all files that `layout` knows.

Lines are sent as they are written, live ones before history; checkpoints, files that are moved, cut off or rewritten,
and last lines without an end are taken care of.
"""

from __future__ import annotations

from ccod_jsonl.layout import Layout, Place, readable
from ccod_jsonl.source import JsonlSource

__all__ = ["JsonlSource", "Layout", "Place", "readable"]
