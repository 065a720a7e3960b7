"""What daemons tell each other fits into a notice, whatever it is, and what nobody understands is passed over."""

from __future__ import annotations

import pytest

from ccod import FileChange, Stored
from tests.postgres import reason_to_skip

if reason := reason_to_skip():
    pytest.skip(reason, allow_module_level=True)

from ccod_sql.postgres.notices import Notice, read, text_of


@pytest.mark.parametrize(
    "stored",
    [
        None,
        Stored(),
        Stored(conversations=["a", "é\0\udcff 7"], projects=["p"], file=FileChange("add", "/a\udc80", 5)),
    ],
)
def test_what_is_sent_is_read(stored: Stored | None) -> None:
    assert read(b"7 " + text_of("node", stored).encode("ascii")) == Notice("node", 7, stored and _lists(stored))


def _lists(stored: Stored) -> Stored:
    return Stored((), [*stored.conversations], [*stored.projects], stored.file)


def test_what_is_too_long_is_told_without_names() -> None:
    text = text_of("node", Stored(conversations=["x" * 50] * 1000))
    assert len(text) < 100
    assert read(b"1 " + text.encode()) == Notice("node", 1, Stored((), [], []))


@pytest.mark.parametrize("payload", [b"", b"7", b"x [1]", b"7 {}", b'7 ["a", 1]', b"7 \xff", b"[]", b"7 null"])
def test_what_nobody_sends_is_passed_over(payload: bytes) -> None:
    assert read(payload) is None
