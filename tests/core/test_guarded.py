"""What plugins of others raise, or answer with, hurts nobody else, and names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
import trio

from ccod.calls import Calls
from ccod.errors import PluginError, StorageUnavailableError
from ccod.faults import Faults, Plugin
from ccod.guarded import GuardedAuth, GuardedParser, GuardedPrices, parse_all
from ccod.guarded_storage import guarded_storage
from ccod.limits import LIMITS
from ccod.model import Content, Cost, Entry, Record, Response, Stream, Unparsed, Usage
from ccod.queries import ConversationQuery
from ccod.roles import Auth
from ccod.stored import Conversation, Page
from ccod.testing.shelf import Shelf
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
