"""The page is compared with what commands say as it claims; `.ci/run` does it all, with the wheel."""

from __future__ import annotations

import pytest

from tests.e2e.first_five_minutes import PAGE, matches, steps


def test_commands_and_what_they_say() -> None:
    page = "x\n```console\n$ one\nsays\n$ two &\n```\n```sh\n$ none\n```\n"
    assert steps(page) == [("one", ["says"]), ("two &", [])]


@pytest.mark.parametrize(
    ("wanted", "said", "result"),
    [
        ([], [], True),
        ([], ["x"], False),
        (["a", "b"], ["a", "b"], True),
        (["a"], ["a", "b"], False),
        (["a … c"], ["a b c"], True),
        (["a … c"], ["a b d"], False),
        (["a", "…"], ["a", "b", "c"], True),
        (["…", "c"], ["c"], True),
        (["…", "c"], ["a", "b"], False),
        (["a.c"], ["abc"], False),
    ],
)
def test_what_matches(wanted: list[str], said: list[str], result: bool) -> None:
    assert matches(wanted, said) == result


@pytest.mark.skipif(not PAGE.exists(), reason="the page is in the source tree")
def test_the_page_has_what_a_new_user_does() -> None:
    commands = " ".join(command for command, _ in steps(PAGE.read_text()))
    for word in (
        "install",
        "doctor",
        "service install",
        "status",
        "tail",
        "search",
        "usage daily",
        "upgrade",
        "uninstall",
    ):
        assert word in commands
