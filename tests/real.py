"""Real transcripts, with what others counted in them. Tests that need them skip where there are none."""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(os.environ.get("REAL_TRANSCRIPTS") or Path(__file__).parents[2] / "shared" / "data" / "transcripts")
ABSENT = f"no real transcripts in {DATA}: name a folder that has them in REAL_TRANSCRIPTS"
