"""What a path tells of a transcript, and what the settings say of paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccod.configuration import Configuration
from ccod_claude.layout import conversation, is_entered, place
from ccod_claude.settings import ClaudeSettings
from ccod_jsonl.tail import Layout, Place

UUID = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"p/{UUID}.jsonl", Place(UUID, None, guessed=False)),
        ("p/any name.jsonl", Place("any name", None, guessed=True)),
        ("p/.hidden.jsonl", Place(".hidden", None, guessed=True)),
        ("p/agent-1a2b3c4d.jsonl", Place("agent-1a2b3c4d", "1a2b3c4d", guessed=True)),
        (f"p/{UUID}/subagents/agent-a1.jsonl", Place(UUID, "a1", guessed=False)),
        (f"p/{UUID}/subagents/workflows/w/agent-a1.jsonl", Place(UUID, "a1", guessed=False)),
        (f"p/{UUID}/subagents/agent-a1.meta.json", Place(UUID, "a1", kind="attachment")),
        (f"p/{UUID}/subagents/workflows/w/agent-a1.meta.json", Place(UUID, "a1", kind="attachment")),
        (f"p/{UUID}/tool-results/toolu_1.txt", Place(UUID, None, kind="attachment")),
        (f"p/{UUID}/tool-results/toolu_1.json", Place(UUID, None, kind="attachment")),
        (f"p/{UUID}/subagents/workflows/w/journal.jsonl", Place(UUID, None, kind="attachment")),
        (f"p/{UUID}/tool-results/toolu_1.jsonl", None),
        (f"p/{UUID}/tool-results/deeper/toolu_1.txt", None),
        (f"p/{UUID}/subagents/agent-a1.txt", None),
        (f"p/{UUID}/subagents/other.meta.json", None),
        ("p/notes.txt", None),
        ("p/x.meta.json", None),
        ("p/journal.jsonl", None),
        (f"p/{UUID}/subagents/agent-a1.json", None),
        (f"p/{UUID}/journal.jsonl", None),
        (f"p/{UUID}/subagents/{UUID}.jsonl", None),
        (f"p/{UUID}/agent-a1.jsonl", None),
        ("p/agent-.jsonl", None),
        ("p/x.JSONL", None),
        ("p/x.jsonl.tmp", None),
        ("stray.jsonl", None),
    ],
)
def test_places(path: str, expected: Place | None) -> None:
    assert place(path.split("/")) == expected


@pytest.mark.parametrize(
    ("folder", "entered"),
    [
        ("p", True),
        (f"p/{UUID}", True),
        (f"p/{UUID}/subagents", True),
        (f"p/{UUID}/subagents/workflows/one", True),
        (f"p/{UUID}/tool-results", True),
        (f"p/{UUID}/memory", False),
        (f"p/{UUID}/memory/subagents", False),
    ],
)
def test_folders_are_entered_where_something_can_be(folder: str, entered: bool) -> None:
    assert is_entered(folder.split("/")) == entered


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        (b'{"type":"x"}\n{"sessionId" : "first"}\n{"sessionId":"second"}\n', "first"),
        (b'{"sessionId":"first"}\n{"sessionId":"most"}\n{"sessionId":"most"}\n', "most"),
        (b'{"text":"\\"sessionId\\":\\"quoted\\""}', "stem"),
        (b'{"sessionId":null}', "stem"),
        (b'{"sessionId":""}', "stem"),
        (b'{"sessionId":"' + b"x" * 500 + b'"}', "stem"),
        (b'{"sessionId":"a\\u0000b"}', "stem"),
        (b"", "stem"),
    ],
)
def test_the_lines_name_the_conversation_where_the_path_does_not(beginning: bytes, expected: str) -> None:
    assert conversation(Place("stem", None, guessed=True), beginning) == expected
    assert conversation(Place("stem", None, guessed=False), beginning) == "stem"


@pytest.mark.parametrize(
    ("environment", "roots"),
    [
        ("", ["~/.claude/projects"]),
        ("/a", ["/a/projects"]),
        (" /a/ , ,~/b", ["/a/projects", "~/b/projects"]),
    ],
)
def test_roots_by_default(environment: str, roots: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", environment)
    assert ClaudeSettings().roots == roots


def test_settings_from_the_environment(tmp_path: Path) -> None:
    environ = {
        "CLAUDE_PROJECTS_PATH": "/a/projects, /b",
        "CCOD_CLAUDE__MAX_LINE": "1MiB",
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    settings = Configuration(environ=environ).settings({"claude": ClaudeSettings})[ClaudeSettings]
    assert settings.roots == ["/a/projects", "/b"]
    assert settings.max_line == 2**20
    assert settings.watcher == "auto"


def test_a_layout_enters_every_folder_and_believes_the_path_unless_it_says_otherwise() -> None:
    layout = Layout((".log",), lambda _: None, {"transcript": "log"})
    assert layout.is_entered(("any", "folder"))
    assert layout.conversation(Place("c", None), b"beginning") == "c"
