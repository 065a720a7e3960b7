"""What plugins of others raise, or answer with, hurts nobody else, and names them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import structlog.testing
import trio
from trio.testing import MockClock

from ccod.calls import Calls
from ccod.daemon import Roots
from ccod.errors import CacheUnavailableError, PluginError, StorageUnavailableError
from ccod.faults import HOLD_SECONDS, Faults, Plugin
from ccod.guarded import GuardedAuth, GuardedCache, GuardedParser, GuardedPrices, NoPrices, parse_all
from ccod.guarded_storage import guarded_storage
from ccod.health import Health, Reason
from ccod.lasterrors import keep
from ccod.limits import LIMITS, interrupted, within
from ccod.metrics import Metrics
from ccod.model import TOO_LONG, Batch, Checkpoint, Content, Cost, Entry, Record, Response, Stream, Unparsed, Usage
from ccod.parsing import MOST_STUCK, Parsing
from ccod.queries import ConversationQuery
from ccod.roles import Auth, Cache, Storage
from ccod.stored import Conversation, Page
from ccod.testing.shelf import Shelf
from ccod.timing import timed
from ccod.users import Peer, User

STREAM = Stream("s", "lines", "/a/s.jsonl", "c")


class Oops(BaseException):
    """No Exception, so that no `except Exception` holds it."""


OUTLANDISH = [Oops("oops"), BaseExceptionGroup("all", [Oops("oops")]), KeyboardInterrupt(), SystemExit(3)]


@pytest.fixture
def plugin() -> Plugin:
    return Plugin("odd", "", "")


@pytest.fixture
def faults(plugin: Plugin) -> Faults:
    return Faults([plugin])


class Raising:
    """A parser, prices and auth."""

    format = version = "lines"
    challenge = "Bearer"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        raise self.error

    def content(self, body: bytes) -> Content:
        raise self.error

    def cost(self, response: Response, at: int) -> Cost | None:
        raise self.error


@pytest.mark.parametrize("error", OUTLANDISH, ids=lambda error: type(error).__name__)
def test_whatever_a_parser_or_prices_raise_is_contained(error: BaseException, faults: Faults, plugin: Plugin) -> None:
    parser = GuardedParser(Raising(error), "odd", faults, Calls())
    assert [type(entry) for entry in parser.parse(STREAM, Record(0, b"x\n"))] == [Unparsed]
    assert parser.content(b"x") == Content("")
    assert GuardedPrices(Raising(error), "odd", faults, Calls()).cost(RESPONSE, 0) is None
    assert plugin.error.startswith("prices: ")


RESPONSE = Response("m", "r", "model", Usage(1))


class Priced:
    version = "1"

    def __init__(self, nanos: int) -> None:
        self._nanos = nanos

    def cost(self, response: Response, at: int) -> Cost:
        return Cost(self._nanos)


@pytest.mark.parametrize("nanos", [-1, 10**30, 0.5])
def test_a_sum_that_no_storage_can_sum_up_is_no_price(nanos: int, faults: Faults, plugin: Plugin) -> None:
    assert GuardedPrices(Priced(nanos), "odd", faults, Calls()).cost(RESPONSE, 0) is None
    assert "nano-dollars" in plugin.error


def test_how_long_somebody_is_asked_is_counted_by_who_watches() -> None:
    calls = Calls()
    with calls.of("odd"):
        assert calls.longer_than(0) == []
        for _ in range(3):
            calls.step()
        assert calls.longer_than(3) == []
        assert calls.longer_than(2) == ["odd"]
        with calls.of("inner"):
            assert calls.longer_than(0) == []
        assert calls.longer_than(2) == ["odd"]
    assert calls.longer_than(0) == []


class Picky:
    """Understands all of its records but one, and takes its time for each."""

    format = version = "lines"

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.late: list[list[str]] = []

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        self.late.append(self.calls.longer_than(0))
        self.calls.step()
        if record.offset == 1:
            raise Oops("oops")
        return [Entry(record.offset, 1, "known")]

    def content(self, body: bytes) -> Content:
        raise NotImplementedError


def test_of_many_records_each_is_asked_for_and_fails_by_itself(faults: Faults, plugin: Plugin) -> None:
    calls = Calls()
    picky = Picky(calls)
    found = parse_all(GuardedParser(picky, "odd", faults, calls), STREAM, [Record(at, b"x") for at in range(3)])
    assert [type(each) for each in found] == [Entry, Unparsed, Entry]
    assert plugin.error == "parser lines: Oops: oops"
    assert picky.late == [[], [], []]


class OddAuth(Auth):
    async def __aexit__(self, *_: object) -> None: ...

    async def identify(self, peer: Peer) -> User | None:
        if peer.token:
            raise Oops("oops")
        await trio.sleep_forever()
        raise AssertionError

    async def ended(self, user: User) -> None: ...


async def test_auth_that_raises_lets_nobody_in_and_one_that_is_cancelled_did_no_wrong(
    faults: Faults, plugin: Plugin
) -> None:
    auth = GuardedAuth(OddAuth(), "odd", faults)
    with trio.move_on_after(0.01) as scope:
        await auth.identify(Peer())
    assert scope.cancelled_caught
    assert plugin.error == ""
    with pytest.raises(PluginError, match="auth failed"):
        await auth.identify(Peer(token="x"))
    assert plugin.error == "auth: Oops: oops"


class OddShelf(Shelf):
    """A storage that answers with what it is given."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    async def conversations(self, query: ConversationQuery) -> Page[Conversation]:
        if isinstance(self.answer, BaseException):
            raise self.answer
        if self.answer == "late":
            await trio.sleep_forever()
        return self.answer  # type: ignore[return-value]


@pytest.fixture
def impatient() -> Iterator[None]:
    before, LIMITS.storage = LIMITS.storage, 0.01
    yield
    LIMITS.storage = before


@pytest.mark.parametrize("answer", [*OUTLANDISH, ValueError("no"), 5, None, "late"], ids=str)
@pytest.mark.usefixtures("impatient")
async def test_a_storage_of_others_is_named_for_what_it_may_not(answer: object, faults: Faults, plugin: Plugin) -> None:
    storage = guarded_storage(OddShelf(answer), "odd", faults)
    with pytest.raises(PluginError, match="storage, conversations: "):
        await storage.conversations(ConversationQuery())
    assert plugin.error.startswith("storage, conversations: ")


async def test_what_a_storage_may_answer_is_handed_on(faults: Faults, plugin: Plugin) -> None:
    page: Page[Conversation] = Page([], 0)
    async with guarded_storage(OddShelf(page), "odd", faults) as storage:
        assert await storage.conversations(ConversationQuery()) is page
        assert await storage.project("none") is None
    refusing = guarded_storage(OddShelf(StorageUnavailableError("full")), "odd", faults)
    with pytest.raises(StorageUnavailableError):
        await refusing.conversations(ConversationQuery())
    assert plugin.error == ""


class CallingShelf(Shelf):
    """A storage of several daemons."""

    is_shared = True
    error: Exception | None = None

    async def called(self) -> None:
        if self.error is not None:
            raise self.error


class OlderShelf:
    """A storage that was written before storages were shared."""


async def test_a_storage_that_calls_is_heard_however_long_it_waits(
    faults: Faults, plugin: Plugin, autojump_clock: MockClock
) -> None:
    calling = CallingShelf()
    storage = timed(guarded_storage(calling, "odd", faults), Metrics())
    assert storage.is_shared
    await storage.called()
    calling.error = ValueError("no")
    with pytest.raises(PluginError, match="storage, called: "):
        await storage.called()
    for silent in (Shelf(), cast(Storage, OlderShelf())):
        storage = timed(guarded_storage(silent, "odd", faults), Metrics())
        assert not storage.is_shared
        with trio.move_on_after(2 * LIMITS.storage) as patience:
            await storage.called()
        assert patience.cancelled_caught


class SlammedShelf(Shelf):
    """A storage that cannot be left."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    async def __aexit__(self, *_: object) -> None:
        raise self.error


@pytest.mark.parametrize("error", [*OUTLANDISH, OSError("no")], ids=str)
async def test_a_storage_that_cannot_be_left_is_named(error: BaseException, faults: Faults, plugin: Plugin) -> None:
    async with guarded_storage(SlammedShelf(error), "odd", faults):
        assert plugin.error == ""
    assert plugin.error.startswith("end: ")


async def test_what_went_wrong_meanwhile_is_not_hidden_by_a_storage_that_cannot_be_left(faults: Faults) -> None:
    with pytest.raises(LookupError):
        async with guarded_storage(SlammedShelf(OSError("no")), "odd", faults):
            raise LookupError


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (itertools.repeat(Entry(0, 1, "user")), "more than 100000 entries"),
        ([object()], "Entry or Unparsed is wanted, not object"),
    ],
)
def test_what_a_parser_may_not_answer_is_set_aside(
    answer: Iterable[Any], why: str, faults: Faults, plugin: Plugin
) -> None:
    class Odd(Raising):
        def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
            return answer

    (entry,) = GuardedParser(Odd(Oops()), "odd", faults, Calls()).parse(STREAM, Record(0, b"x\n"))
    assert isinstance(entry, Unparsed)
    assert why in plugin.error


def test_prices_that_know_none_did_no_wrong(faults: Faults, plugin: Plugin) -> None:
    assert GuardedPrices(NoPrices(), "odd", faults, Calls()).cost(RESPONSE, 0) is None
    assert plugin.error == ""


class OddCache(Cache):
    """A cache that cannot be asked, and cannot be opened where it is to `refuse`."""

    def __init__(self, *, refuse: bool = False) -> None:
        self.refuse = refuse

    async def __aenter__(self) -> OddCache:
        if self.refuse:
            raise OSError("no room")
        return self

    async def __aexit__(self, *_: object) -> None:
        raise Oops("oops")

    async def get(self, key: str, /) -> bytes | None:
        if key == "text":
            return "text"  # type: ignore[return-value]
        raise Oops("oops")

    async def put(self, key: str, value: bytes, /) -> None:
        raise Oops("oops")


async def test_a_cache_that_fails_has_forgotten(faults: Faults, plugin: Plugin) -> None:
    async with GuardedCache(OddCache(), "odd", faults) as cache:
        assert await cache.get("key") is None
        assert plugin.error == "cache, get: Oops: oops"
        assert await cache.get("text") is None
        assert plugin.error == "cache, get: TypeError: bytes is wanted, not str"
        await cache.put("key", b"value")
        assert plugin.error == "cache, put: Oops: oops"
    assert plugin.error == "end: Oops: oops"


class AwayCache(Cache):
    """Cannot be asked until it is `here`."""

    here = False

    async def __aexit__(self, *_: object) -> None:
        pass

    async def get(self, key: str, /) -> bytes | None:
        if not self.here:
            raise CacheUnavailableError("store: gone", fix="bring it back")
        return None

    async def put(self, key: str, value: bytes, /) -> None:
        await self.get(key)


async def test_a_cache_that_cannot_be_asked_is_told_of_until_it_can(autojump_clock: MockClock) -> None:
    health, away = Health(), AwayCache()
    faults = Faults([], clock=trio.current_time)
    faults.watch(health, Metrics())
    async with GuardedCache(away, "far", faults) as cache, trio.open_nursery() as nursery:
        nursery.start_soon(cache.keep_asking)
        with structlog.testing.capture_logs() as logs:
            for _ in range(100):
                assert await cache.get("key") is None
                await cache.put("key", b"value")
        assert [(each["code"], each["fix"]) for each in logs] == [("CACHE_AWAY", "bring it back")]
        assert health.reasons == [("plugin far", Reason("CACHE_AWAY", "cache: store: gone", "bring it back"))]
        assert health.ready
        await trio.sleep(1000)
        assert not health.well
        away.here = True
        await trio.sleep(100)
        assert health.well
        nursery.cancel_scope.cancel()


async def test_a_cache_that_cannot_be_opened_is_named(faults: Faults) -> None:
    with pytest.raises(PluginError, match="plugin 'odd': it cannot be opened: OSError: no room; choose another"):
        await GuardedCache(OddCache(refuse=True), "odd", faults).__aenter__()


async def test_a_user_of_no_known_role_is_let_in_nowhere(faults: Faults, plugin: Plugin) -> None:
    class Grand(OddAuth):
        async def identify(self, peer: Peer) -> User | None:
            return User("1", "a@b", "king")  # type: ignore[arg-type]

        async def ended(self, user: User) -> None:
            raise Oops("oops")

    auth = GuardedAuth(Grand(), "odd", faults)
    with pytest.raises(PluginError, match="auth failed"):
        await auth.identify(Peer())
    assert plugin.error == "auth: TypeError: a user has no role 'king'"
    await auth.ended(User("1", "a@b", "user"))
    assert plugin.error == "auth, ended: Oops: oops"


def test_a_fault_is_told_for_a_minute_though_all_is_well_again() -> None:
    now, health = 0.0, Health()
    faults = Faults([Plugin("odd", "", "")], lambda: now)
    faults.watch(health, Metrics())
    faults.note("odd", "prices", "no")
    faults.well("odd", "prices")
    assert [reason.text for _, reason in health.reasons] == ["prices: no"]
    now += HOLD_SECONDS
    faults.well("odd", "prices")
    assert [*health.reasons] == []


async def test_what_takes_too_long_is_given_up() -> None:
    async def in_time(seconds: float) -> str:
        await trio.sleep(seconds)
        return "in time"

    assert await within(0.01, partial(in_time, 60), "late") == "late"
    assert await within(60, partial(in_time, 0), "late") == "in time"


async def test_in_another_thread_nothing_is_interrupted() -> None:
    def patient() -> str:
        with interrupted(0.01):
            time.sleep(0.05)
        return "done"

    assert await trio.to_thread.run_sync(patient) == "done"


class Stuck(Raising):
    """A parser that answers only once `free` is set."""

    def __init__(self) -> None:
        super().__init__(Oops())
        self.free = threading.Event()
        self.asked = 0

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        self.asked += 1
        self.free.wait()
        return [Entry(record.offset, len(record.body), "user")]


async def test_a_parser_that_does_not_come_back_is_asked_a_few_times_and_then_left_alone() -> None:
    parser, told = Stuck(), list[tuple[str, str]]()
    parsing = Parsing({"lines": parser}, lambda *said: told.append(said))
    batch = Batch(STREAM, [Record(0, b"a\n"), Record(2, b"b", 1), Record(3, b"c\n", 2)], Checkpoint(5))
    aside = [Unparsed(0, 2, "parser lines gave no answer"), Unparsed(2, 1, TOO_LONG)]
    before, LIMITS.parse = LIMITS.parse, 0.05
    try:
        for _ in range(MOST_STUCK + 2):
            assert await parsing.parse(batch) == aside
        assert parser.asked == len(told) == MOST_STUCK
        assert told[0] == ("lines", "no answer within 0.05 seconds")
        LIMITS.parse = before
        parser.free.set()
        while [type(entry) for entry in await parsing.parse(batch)] != [Entry, Unparsed]:
            await trio.sleep(0.01)
    finally:
        LIMITS.parse = before
        parser.free.set()


async def test_what_no_parser_understands_keeps_its_bytes() -> None:
    parsing = Parsing({}, lambda *_: None)
    assert await parsing.parse(Batch(STREAM, [Record(0, b"a\n")], Checkpoint(2))) == [
        Unparsed(0, 2, "no parser of lines")
    ]


async def test_a_source_that_does_not_say_what_it_reads_has_no_roots() -> None:
    class Mute:
        name = "odd"

        @property
        def roots(self) -> list[str]:
            raise OSError("gone")

    with structlog.testing.capture_logs() as logs:
        assert [*Roots([Mute()])] == []  # type: ignore[list-item]
    assert {each["source"] for each in logs} == {"odd"}


async def test_where_no_error_can_be_kept_the_log_says_so_and_all_goes_on(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    plugin.error = "no"
    with structlog.testing.capture_logs() as logs, trio.move_on_after(0.1) as scope:
        await keep([plugin], tmp_path / "file")
    assert scope.cancelled_caught
    assert [each["log_level"] for each in logs] == ["warning"]
