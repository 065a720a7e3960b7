from __future__ import annotations

import pytest

from ccod_codex.layout import place
from ccod_codex.settings import CodexSettings
from ccod_jsonl.tail import Place

THREAD = "019a2d7a-41c4-78b1-b7cc-a45d62a89cd5"


@pytest.mark.parametrize(
    ("path", "conversation"),
    [
        (f"2025/10/29/rollout-2025-10-29T00-59-38-{THREAD}.jsonl", THREAD),
        (f"rollout-2025-10-29T00-59-38-{THREAD.upper()}.jsonl", THREAD),
        (f"rollout-{THREAD}.jsonl", THREAD),
        ("2025/10/29/rollout-2025-10-29T00-59-38.jsonl", None),
        (f"2025/10/29/{THREAD}.jsonl", None),
        ("history.jsonl", None),
    ],
)
def test_a_rollout_is_named_after_its_thread(path: str, conversation: str | None) -> None:
    assert place(path.split("/")) == (Place(conversation, None) if conversation else None)


def test_roots_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODEX_HOME", raising=False)
    assert CodexSettings().roots == ["~/.codex/sessions", "~/.codex/archived_sessions"]
    monkeypatch.setenv("CODEX_HOME", "/a/")
    assert CodexSettings().roots == ["/a/sessions", "/a/archived_sessions"]
