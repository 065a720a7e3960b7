"""Which transcripts there are: tells new files from those that grew, moved, were replaced or went away."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from ccod import Checkpoint, Stream
from ccod_jsonl.files import Survey
from ccod_jsonl.layout import Layout, readable
from ccod_jsonl.transcripts import Found, Transcript, restored

MISSES = 2
"""A file that is moved while folders are listed can be missed once; missed twice, it is gone."""


class Catalogue:
    """All transcripts, by path and by file (device and inode)."""

    def __init__(
        self,
        stored: Iterable[tuple[Stream, Checkpoint]],
        roots: Sequence[str],
        history_after: float,
        layout: Layout,
    ) -> None:
        self.layout = layout
        self._roots = tuple(readable(f"{root}/") for root in roots)
        self._history_after = history_after
        self._keys: set[str] = set()
        self._by_path: dict[str, Transcript] = {}
        self._by_file: dict[tuple[int, int], Transcript] = {}
        self._displaced: set[Transcript] = set()
        self.history_bytes = 0
        known = [restored(stream, checkpoint) for stream, checkpoint in stored]
        for transcript in sorted(known, key=lambda each: (not each.superseded, not each.gone, each.generation)):
            self._restore(transcript)
        self._unseen = {root for root in roots if not self._has_any_below(root)}

    def _restore(self, transcript: Transcript) -> None:
        assert transcript.stream is not None
        self._keys.add(transcript.stream.key)
        if transcript.superseded:
            if not transcript.gone:
                self._by_path[transcript.found.path] = _successor(transcript)  # of which nothing may be stored yet
            return
        other = self._by_path.get(transcript.found.path)
        if other is not None and other.stream is not None and other.found.identity != transcript.found.identity:
            self._displaced.add(other)
        self._by_path[transcript.found.path] = self._by_file[transcript.found.identity] = transcript
        self.history_bytes += transcript.history_left

    @property
    def followed(self) -> int:
        """How many of them are there."""
        return sum(not transcript.gone for transcript in self._by_path.values())

    def unchecked(self) -> list[Transcript]:
        """Return the transcripts that were written to since all of them was last read."""
        return [transcript for transcript in self._by_path.values() if transcript.unchecked]

    def has_some_below(self, root: str) -> bool:
        """Tell whether transcripts below a root are known that nobody deleted."""
        below = readable(f"{root}/")
        return any(path.startswith(below) and not known.gone for path, known in self._by_path.items())

    def _has_any_below(self, root: str) -> bool:
        below = readable(f"{root}/")
        return any(path.startswith(below) for path in self._by_path)

    def have_seen_all(self) -> None:
        """From now on a new file is news, unless it is old: the first look at a root finds what was there before."""
        self._unseen.clear()

    def at(self, path: str) -> Transcript | None:
        return self._by_path.get(path)

    def found_at(self, path: str) -> Found | None:
        """Return the file that was last seen at a path. It may be asked in any thread."""
        transcript = self._by_path.get(path)
        return None if transcript is None else transcript.found

    def follows(self, transcript: Transcript) -> bool:
        """Tell whether a transcript is still to be read: one of which nothing is stored may have lost its place."""
        return transcript.stream is not None or self._by_path.get(transcript.found.path) is transcript

    def has_file(self, found: Found) -> bool:
        return found.identity in self._by_file

    def note(self, found: Sequence[Found], *, all_paths: Mapping[str, Found]) -> list[Transcript]:
        """Take down where files are now; return the transcripts that must be read, those changed last first."""
        to_read: list[Transcript] = []
        changed = [file for file in found if not self._is_unchanged(file)]
        for file in sorted(changed, key=self.has_file, reverse=True):  # what moved makes room at its path for the new
            transcript = self._claim(file, all_paths)
            if transcript is not None:
                transcript.found = file
                transcript.misses = 0
                if not transcript.is_read:
                    to_read.append(transcript)
        return sorted(to_read, key=lambda transcript: -transcript.found.modified)

    def miss(self, survey: Survey) -> list[Transcript]:
        """Count the scans that did not find a transcript; return those that were missed. A folder that could not
        be looked into, such as a root that is away, proves nothing."""
        present = {found.path for found in survey.found}
        blind = tuple(readable(f"{folder}/") for folder in survey.blind)
        self._displaced = {transcript for transcript in self._displaced if not transcript.gone}
        missed = [
            transcript
            for path, transcript in self._by_path.items()
            if path not in present and path.startswith(self._roots) and not path.startswith(blind)
        ]
        missed = [transcript for transcript in (*missed, *self._displaced) if not transcript.gone]
        for transcript in missed:
            transcript.misses += 1
        return missed

    def succeed(self, old: Transcript) -> Transcript:
        """Begin anew with the file that stands where `old` stood."""
        new = _successor(old)
        self._by_path[new.found.path] = self._by_file[new.found.identity] = new
        return new

    def forget(self, transcript: Transcript) -> None:
        """Drop a transcript of which nothing was stored."""
        if self._by_path.get(transcript.found.path) is transcript:
            del self._by_path[transcript.found.path]
        if self._by_file.get(transcript.found.identity) is transcript:
            del self._by_file[transcript.found.identity]

    def stream(self, transcript: Transcript, beginning: bytes) -> Stream:
        """Return the stream of a transcript, at its present path; a new one if nothing of it was read before."""
        path = transcript.found.path
        if transcript.stream is not None:
            return replace(transcript.stream, path=path)
        where, layout = transcript.found.place, self.layout
        assert where is not None
        conversation = layout.conversation(where, beginning)
        return Stream(self._new_key(path), layout.formats[where.kind], path, conversation, where.agent, where.kind)

    def _is_unchanged(self, found: Found) -> bool:
        """Tell whether a file is where it was, as it was, and all of it was read."""
        transcript = self._by_path.get(found.path)
        return (
            transcript is not None
            and transcript.found is found
            and not transcript.misses
            and self._by_file.get(found.identity) is transcript
            and transcript.is_read
        )

    def _claim(self, found: Found, all_paths: Mapping[str, Found]) -> Transcript | None:
        """Return the transcript that a file is, or None if it is one already known under another name."""
        transcript = self._by_path.get(found.path)
        twin = self._by_file.get(found.identity)
        if twin is not None and twin is not transcript and twin.found.identity == found.identity:
            other = all_paths.get(twin.found.path, found)
            if other.path != found.path and other.identity == found.identity:
                return None
            if twin.position.offset or twin.held:
                return self._move(twin, found)
        transcript = transcript or self._new(found)
        self._by_path[found.path] = self._by_file[found.identity] = transcript
        return transcript

    def _move(self, transcript: Transcript, found: Found) -> Transcript:
        if self._by_path.get(transcript.found.path) is transcript:
            del self._by_path[transcript.found.path]
        displaced = self._by_path.get(found.path)
        if displaced is not None and (displaced.stream is not None or displaced.held):
            self._displaced.add(displaced)  # unless it turns up elsewhere, it is gone
        self._displaced.discard(transcript)
        self._by_path[found.path] = transcript
        return transcript

    def _new(self, found: Found) -> Transcript:
        is_old = found.root in self._unseen or time.time() - found.modified > self._history_after
        transcript = Transcript(found, history_end=found.size if is_old else 0)
        self.history_bytes += transcript.history_left
        return transcript

    def _new_key(self, path: str) -> str:
        key, number = path, 1
        while key in self._keys:
            number += 1
            key = f"{path}#{number}"
        self._keys.add(key)
        return key


def _successor(old: Transcript) -> Transcript:
    return Transcript(old.found, generation=old.generation + 1, predecessor=old)
