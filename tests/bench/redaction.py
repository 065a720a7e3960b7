"""What masking costs: `python -m tests.bench.redaction` prints microseconds of CPU for each KB of text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from timeit import repeat

from ccod import Redactor
from ccod_redact.rules import RULES
from tests.plugins.redact.canaries import benign, canaries


def texts() -> Mapping[str, str]:
    prose = "The quick brown fox jumps over the lazy dog, and then sleeps. " * 3000
    code = "".join(path.read_text() for path in sorted(Path("ccod").glob("*.py")))
    noise = "\n".join(benign(2000))
    return {"prose": prose, "code": code, "hashes": noise, "with secrets": noise + "\n".join(canaries().values())}


if __name__ == "__main__":
    mask = Redactor(RULES).mask
    for name, text in texts().items():
        seconds = min(repeat(lambda text=text: mask(text), number=3, repeat=5)) / 3  # type: ignore[misc]
        print(f"{name:14}{seconds / len(text) * 1024 * 1e6:8.1f} us/KB")
