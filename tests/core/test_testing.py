"""What `ccod.testing` offers to authors of plugins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from ccod import (
    Auth,
    Batch,
    Checkpoint,
    ConversationQuery,
    Entry,
    Health,
    Page,
    Peer,
    ProjectDraft,
    Read,
    ReadQuery,
    StorageUnavailableError,
    Stored,
    Stream,
    User,
)
from ccod.settings import Reloaded
from ccod.testing import AuthContract, Clock, Daemon, Daemons, Shelf, observatory_of
from ccod.testing.house import OpenDoor
from ccod.testing.waiting import limit

NOISE = "import sys\nprint('it listening or ready', '\"ready\"', sep='\\n', file=sys.stderr)\n"
"""A plugin's own words on stderr, among which a daemon's log is told by its form."""


async def test_a_daemon_of_the_fixture_serves_from_folders_of_its_own(open_daemon: Daemons, tmp_path: Path) -> None:
    async with open_daemon({"machine": "here"}, start=False) as daemon:
        daemon.home.install(
            "mine", f"{NOISE}from ccod import hookimpl\n@hookimpl\ndef ccod_sources():\n    return []\n"
        )
        await daemon.start()
        answer = await daemon.client.get("/api/plugins")
        mine = next(plugin for plugin in answer.json()["data"] if plugin["name"] == "mine")
        assert (mine["state"], mine["hooks"]) == ("loaded", ["ccod_sources"])
        assert (await daemon.terminate()) == 0
    made = {path.relative_to(daemon.home.path).parts[0] for path in daemon.home.path.rglob("*")}
    assert made <= {"ccod.toml", "stderr.log", "plugins", "data", "state", "config", "cache", "run"}
    assert any(daemon.home.path.rglob("*.db"))


def test_the_clock_stands_still(clock: Clock) -> None:
    assert clock() == clock()
    clock.now += 1
    assert clock() == clock.now


async def test_a_daemon_that_was_asked_for_runs(daemon: Daemon) -> None:
    assert (await daemon.get("/health"))["success"]


async def test_an_observatory_in_memory_lets_everybody_in_and_tells_of_changes() -> None:
    async def change() -> Stored | None:
        return Stored(conversations=["c"])

    async def nothing() -> Stored | None:
        return None

    observatory = observatory_of(Shelf())
    async with observatory.auth as auth:
        user = await auth.identify(Peer())
        assert user is not None
        assert user.role == "admin"
        with trio.move_on_after(0.01) as scope:
            await auth.ended(user)
        assert scope.cancelled_caught
    with observatory.bus.subscribe() as heard:
        assert await observatory.change(nothing) is None
        stored = await observatory.change(change)
        async for told in heard:
            assert told is stored
            break
    assert observatory.ask("ccod_sources") == []
    assert await observatory.reload() == Reloaded([], [])


class Forgetful(OpenDoor):
    """Lets nobody in who presented nothing, and says at once that everybody's time is up."""

    async def identify(self, peer: Peer) -> User | None:
        return User("1", "a@b", "owner")

    async def ended(self, user: User) -> None:
        """It returns."""


async def test_the_contract_of_auth_sees_who_ends_what_goes_on() -> None:
    @asynccontextmanager
    async def auths() -> AsyncIterator[Auth]:
        yield Forgetful()

    with pytest.raises(AssertionError):
        await AuthContract().test_who_presented_nothing_never_ends(auths)


async def test_a_shelf_shows_only_what_a_test_put_there() -> None:
    async with Shelf() as shelf:
        batch = Batch(Stream("s", "lines", "/a", "c"), [], Checkpoint(0))
        assert await shelf.append("source", batch, [Entry(0, 1, "user")]) == Stored()
        assert await shelf.create_project(ProjectDraft("/a")) is None
        assert await shelf.maintain(Health()) is None
        assert not (await shelf.vacuum()).more
        assert await shelf.conversations(ConversationQuery()) == Page([], 0)
        assert (await shelf.position()).seq == 0


async def test_what_a_daemon_said_is_shown_when_a_test_fails(
    open_daemon: Daemons, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_daemon(start=False) as daemon:
            daemon.home.log.write_text("no room\n")
            raise ZeroDivisionError
    assert "the daemon said:\nno room\n" in capsys.readouterr().out


async def test_a_wait_that_lasts_too_long_says_for_what() -> None:
    with pytest.raises(AssertionError, match=r"no tea within 0\.01 seconds"), limit(0.01, "tea"):
        await trio.sleep_forever()


async def test_a_shelf_keeps_what_is_noted_or_fails_as_it_is_told() -> None:
    shelf = Shelf()
    noted = [Read(number, "u", "", "", "", "GET /x", "c", "b", "a") for number in range(2)]
    await shelf.note_reads(noted)
    assert [each.at for each in (await shelf.noted_reads(ReadQuery())).items] == [1, 0]
    shelf.failure = StorageUnavailableError("the disk is full")
    with pytest.raises(StorageUnavailableError):
        await shelf.note_reads(noted)
    assert len(shelf.all_reads) == 2


async def test_a_daemon_that_does_not_start_says_why(open_daemon: Daemons) -> None:
    with pytest.raises(AssertionError, match=r"(?s)exit 78 without 'listening'.*papyrus"):
        async with open_daemon({"storage": "papyrus"}):
            pass
