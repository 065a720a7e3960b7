"""Files beside a transcript that are too large to be masked as one text."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ccod import Batch, Checkpoint, Record, Stream
from ccod_rest import attachments
from tests.plugins.rest.family import SECRET, lines, said
from tests.plugins.rest.library import SESSION, Library, library

BODY = "\n".join(f"MIIEpAIBAAKCAQEA{number:048}" for number in range(12))
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----\n"


async def shown(house: Library, key: str, data: bytes, portion: int) -> bytes:
    """Store a file in such portions and return what is shown of it."""
    stream = Stream(key, "claude-attachment", f"/t/{SESSION}/tool-results/{key}.txt", SESSION, kind="attachment")
    for start in range(0, len(data), portion):
        body = data[start : start + portion]
        await house.storage.append("claude", Batch(stream, [Record(start, body)], Checkpoint(start + len(body))), [])
    listed = (await house.get(f"/api/conversations/{SESSION}/attachments"))["data"]
    id_ = next(each["id"] for each in listed if each["name"] == f"{key}.txt")
    return (await house.http.get(f"/api/conversations/{SESSION}/attachments/{id_}")).content


async def test_no_secret_is_cut_in_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MASKED_AT_ONCE", 3000)
    made = random.Random(1)
    async with library(tmp_path / "ccod.db") as house:
        await house.add(lines(said("m1", None, 1, "x")), index=False)
        for number in range(10):
            parts = [made.choice([KEY, f"export TOKEN={SECRET}\n", "plain \xff text\n" * 30]) for _ in range(20)]
            data = "".join(parts).encode("latin-1")
            text = await shown(house, f"f{number}", data, made.randrange(200, 2000))
            assert text.count(b"MIIEpAIB") == text.count(SECRET.encode()) == 0
            assert text.count(b"plain \xff text\n") == data.count(b"plain \xff text\n")
            assert text.count("«redacted:".encode()) >= 1


async def test_what_holds_no_secret_is_shown_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MASKED_AT_ONCE", 100)
    async with library(tmp_path / "ccod.db") as house:
        await house.add(lines(said("m1", None, 1, "x")), index=False)
        for number, data in enumerate([b"x", b"\n", b"\r\nline\n" * 99, bytes(range(256)) * 9, b"no line end " * 90]):
            assert await shown(house, f"f{number}", data, 70) == data
