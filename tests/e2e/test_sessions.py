"""`ccod sessions` and `ccod show`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ccod_http.printing import ago
from tests.e2e.lines import SESSION, answer, line
from tests.e2e.running import Running, eventually, run, running, usual_home

OTHER = "0b1e2f3a-ffff-4e6f-8a9b-0c1d2e3f4a5b"
LAST = "ffff2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b"
HOSTILE = "look \x1b[2Jhere\n\u202eand there"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = usual_home(tmp_path_factory.mktemp("sessions"))
    folder = home.root / "-home-dev-demo"
    folder.mkdir(parents=True)
    block = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls -l"}}
    call = line("", type="assistant", message=_message([block]), requestId="req_1")
    result = line("", message={"role": "user", "content": [_result("first\nsecond\x07", is_error=True)]})
    (folder / f"{SESSION}.jsonl").write_bytes(line(HOSTILE, timestamp="2026-01-01T10:00:00.000Z") + call + result)
    early = {"session": OTHER, "timestamp": "2026-01-02T10:00:00.000Z"}
    (folder / f"{OTHER}.jsonl").write_bytes(line("early", **early) + answer("ok", **early))
    shop = {"session": LAST, "cwd": "/home/dev/shop", "timestamp": _later()}
    (folder / f"{LAST}.jsonl").write_bytes(line("hello shop", **shop))
    with running(home) as daemon:
        eventually(lambda: len(daemon.json("sessions")["conversations"]) == 3)
        yield daemon


def _later() -> str:
    return (datetime.now(UTC) + timedelta(seconds=5)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(content: list[object]) -> dict[str, object]:
    usage = {"input_tokens": 3, "output_tokens": 5}
    return {
        "id": "msg_1",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": content,
        "usage": usage,
    }


def _result(text: str, *, is_error: bool) -> dict[str, object]:
    return {"type": "tool_result", "tool_use_id": "t1", "content": text, "is_error": is_error}


def ids(daemon: Running, *arguments: str) -> list[str]:
    return [each["id"] for each in daemon.json("sessions", *arguments)["conversations"]]


def test_sessions_are_listed_newest_first_and_can_be_chosen(daemon: Running) -> None:
    assert ids(daemon) == [LAST, SESSION, OTHER]
    assert ids(daemon, "--limit", "1") == [LAST]
    assert ids(daemon, "--project", "demo") == [SESSION, OTHER]
    assert ids(daemon, "--since", "20260101", "--until", "20260103") == [SESSION, OTHER]
    assert ids(daemon, "--until", "2026-01-01") == [SESSION]
    assert LAST in ids(daemon, "--state", "active")
    assert ids(daemon, "--state", "error") == []
    assert ids(daemon, "--model", "claude-sonnet-4-5-20250929") == [SESSION, OTHER]


def test_a_session_is_a_line(daemon: Running) -> None:
    lines = daemon.ccod("sessions").splitlines()
    assert [row.split()[0] for row in lines] == [LAST[:8], SESSION[:8], OTHER[:8]]
    assert lines[0].endswith("hello shop")
    assert "2026-01-02" in lines[2]
    assert "$0.00" in lines[2]
    assert all(row.isprintable() for row in lines)


@pytest.mark.parametrize("command", [["sessions"], ["usage", "daily"], ["search", "look"]])
@pytest.mark.parametrize("wrong", ["yesterday", "2026-13-01", "20261301"])
def test_a_time_that_is_none_is_wrong_use_of_its_option(daemon: Running, command: list[str], wrong: str) -> None:
    done = run(daemon.home, *command, "--since", wrong)
    assert (done.returncode, done.stdout) == (2, "")
    told = f"'--since': {wrong!r} is no time; write 2026-01-31, 20260131 or 2026-01-31T12:00:00Z.\n"
    assert done.stderr.endswith(told)


def test_none_is_said(daemon: Running) -> None:
    done = run(daemon.home, "sessions", "--since", "2099-01-01")
    assert (done.stdout, done.stderr, done.returncode) == ("", "there are no conversations like that\n", 0)


def test_a_conversation_is_shown_by_the_beginning_of_its_id(daemon: Running) -> None:
    text = daemon.ccod("show", SESSION[:10])
    assert text.isascii() or all(row.isprintable() for row in text.splitlines())
    assert "\x1b" not in text
    assert "look \\x1b[2Jhere" in text
    assert "  ▸ Bash  ls -l\n" in text
    assert "  ✗ first\n" in text
    assert "second" not in text
    assert "    second\\x07\n" in daemon.ccod("show", SESSION, "--tools")


def test_the_latest_and_the_last_messages(daemon: Running) -> None:
    assert daemon.json("show", "latest")["conversation"]["id"] == LAST
    shown = daemon.json("show", SESSION, "--limit", "2")["messages"]
    assert [each["role"] for each in shown] == ["assistant", "user"]
    assert len(daemon.json("show", SESSION, "--all")["messages"]) == 3


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("0b1e2f3a", f"several conversations begin with '0b1e2f3a': {SESSION}, {OTHER}"),
        ("zz/../", "there is no conversation 'zz/../'; see `ccod sessions`"),
    ],
)
def test_what_is_not_one_conversation_is_said(daemon: Running, wanted: str, message: str) -> None:
    done = run(daemon.home, "show", wanted)
    assert done.returncode == 1
    told = done.stderr.replace(f"{OTHER}, {SESSION}", f"{SESSION}, {OTHER}")
    assert told == f"ccod: {message}\n"


def test_times_are_told_as_people_do() -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    told = [ago((now - timedelta(seconds=s)).isoformat(), now) for s in (-5, 59, 60, 7199, 86400, 700_000)]
    assert told == ["0 s ago", "59 s ago", "1 min ago", "1 h ago", "1 d ago", "2026-01-23"]
