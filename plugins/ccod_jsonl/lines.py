"""The public module for a parser: what to do with lines that are damaged, glued together or not quite JSON.

A parser decodes a line at once, where it is as it should be, and asks `salvaged` where that fails.
"""

from __future__ import annotations

from ccod_jsonl.decoding import damage, mend, undecoded
from ccod_jsonl.moments import milliseconds
from ccod_jsonl.salvage import Salvaged, salvaged

__all__ = ["Salvaged", "damage", "mend", "milliseconds", "salvaged", "undecoded"]
