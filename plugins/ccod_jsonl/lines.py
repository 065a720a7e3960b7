"""The public module for a parser: entries from lines, also from damaged ones, glued ones and those not quite JSON."""

from __future__ import annotations

from ccod_jsonl.decoding import mend, undecoded
from ccod_jsonl.moments import milliseconds
from ccod_jsonl.understanding import LineReader

__all__ = ["LineReader", "mend", "milliseconds", "undecoded"]
