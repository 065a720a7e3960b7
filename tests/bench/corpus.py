"""A synthetic history of Claude Code: the same seed and size give the same bytes, and what they count up to.

python -m tests.bench.corpus DIR --size M
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from tests.bench.draw import Draw
from tests.bench.transcript import Counts, Transcript

SIZES = {"S": 10_000_000, "M": 200_000_000, "L": 1_000_000_000}
SEED = 7
POOL = 4_000_000
STARTED = 1_753_000_000_000
BETWEEN_SESSIONS = 3_000_000


class File(Struct, frozen=True):
    """One transcript of a corpus; `agent` is set for a subagent's."""

    path: Path
    session: str
    cwd: str
    agent: str | None
    counts: Counts


class Corpus(Struct, frozen=True):
    """A corpus as built: `root` is the `projects` folder."""

    root: Path
    files: list[File]

    @property
    def total(self) -> Counts:
        total = Counts()
        for file in self.files:
            total.add(file.counts)
        return total


class Plan(Struct, frozen=True):
    """What one transcript is going to be."""

    path: Path
    session: str
    cwd: str
    started: int
    size: int
    agent: str | None = None


def build(directory: Path, size: int, seed: int = SEED) -> Corpus:
    """Write about `size` bytes of transcripts below `directory/projects`."""
    draw = Draw(seed, max(60_000, min(POOL, size)))
    root = directory / "projects"
    files: list[File] = []
    left = size
    for plan in _plans(draw, root, size):
        file = _write(draw, plan, left)
        files.append(file)
        left -= file.counts.bytes
        if left <= 0:
            break
    return Corpus(root, files)


def _plans(draw: Draw, root: Path, size: int) -> Iterator[Plan]:
    """Plan sessions without end, a third of them with subagents."""
    projects = max(4, int(3 * math.sqrt(size / SIZES["S"])))
    cwds = [f"/home/dev/code/{draw.random.choice(draw.words)}-{n}" for n in range(projects)]
    started = STARTED
    while True:
        started += BETWEEN_SESSIONS + draw.random.randint(0, BETWEEN_SESSIONS // 2)
        cwd = cwds[min(projects - 1, int(draw.random.expovariate(3 / projects)))]
        session = draw.uuid()
        folder = root / cwd.replace("/", "-")
        yield Plan(folder / f"{session}.jsonl", session, cwd, started, draw.length(500_000, 1.2, 12e6))
        for _ in range(draw.random.randint(1, 6) if draw.chance(0.3) else 0):
            agent = f"a{draw.hex(16)}"
            path = folder / session / "subagents" / f"agent-{agent}.jsonl"
            yield Plan(path, session, cwd, started, draw.length(160_000, 0.9, 2e6), agent)


def _write(draw: Draw, plan: Plan, left: int) -> File:
    transcript = Transcript(draw, plan.session, plan.cwd, plan.started, plan.agent)
    transcript.write(min(plan.size, left))
    plan.path.parent.mkdir(parents=True, exist_ok=True)
    plan.path.write_bytes(b"".join(transcript.lines))
    last = transcript.now * 1_000_000
    os.utime(plan.path, ns=(last, last))
    return File(plan.path, plan.session, plan.cwd, plan.agent, transcript.counts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.corpus", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    corpus = build(arguments.directory, SIZES[arguments.size], arguments.seed)
    total = corpus.total
    print(
        f"{corpus.root}: {total.bytes / 1e6:.1f} MB, {len(corpus.files)} files, {total.lines} lines, "
        f"{total.messages} messages, {total.responses} responses, {total.tool_uses} tool uses, seed {arguments.seed}"
    )


if __name__ == "__main__":
    main()
