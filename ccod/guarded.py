"""Stands between the core and what a plugin answered with: what fails there is named, and hurts nobody else.

A parser that fails costs the record its meaning, never its bytes; prices and a cache that fail know nothing; auth that
fails lets nobody in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from itertools import islice
from typing import Any

from ccod.calls import Calls
from ccod.errors import CacheUnavailableError, PluginError
from ccod.faults import Faults
from ccod.limits import LIMITS, answers, apart, told
from ccod.model import Content, Cost, Entry, Record, Response, Stream, Unparsed
from ccod.roles import Auth, Cache, Parser, Prices
from ccod.users import Peer, User

MOST_ENTRIES = 100_000
"""A record of 16 MB holds no more, and what never ends has to end."""

MOST_NANOS = 2**53
"""No response costs nine million dollars, and a storage has to sum them up."""

ASK_AGAIN_SECONDS = 15.0

UNDERSTOOD = (Entry, Unparsed)


class GuardedParser:
    """A parser that never raises."""

    def __init__(self, parser: Parser, plugin: str, faults: Faults, calls: Calls) -> None:
        self.format = parser.format
        self.version = parser.version
        self.plugin = plugin
        self.where = f"parser {parser.format}"
        self._parser = parser
        self._faults = faults
        self._calls = calls

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        return self.parse_all(stream, (record,))

    def parse_all(self, stream: Stream, records: Iterable[Record]) -> list[Entry | Unparsed]:
        """Parse one record after another. To stand guard over all of them costs less than over each by itself."""
        found: list[Entry | Unparsed] = []
        is_well = True
        with self._calls.of(self.plugin) as call:
            for record in records:
                call.again()
                try:
                    entries = list(islice(self._parser.parse(stream, record), MOST_ENTRIES + 1))
                    _require_entries(entries)
                except BaseException as error:  # noqa: BLE001
                    is_well = False
                    self._faults.note(self.plugin, self.where, told(error))
                    entries = [unparsed(record, self.format, type(error).__name__)]
                found += entries
        if is_well:
            self._faults.well(self.plugin, self.where)
        return found

    def content(self, body: bytes) -> Content:
        try:
            with self._calls.of(self.plugin):
                return answers(Content, self._parser.content(body))
        except BaseException as error:  # noqa: BLE001
            self._faults.note(self.plugin, f"{self.where}, content", told(error))
            return Content("")


def _require_entries(entries: Sequence[object]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise ValueError(f"more than {MOST_ENTRIES} entries")
    for entry in entries:
        if not isinstance(entry, UNDERSTOOD):
            raise TypeError(f"Entry or Unparsed is wanted, not {type(entry).__name__}")


def parse_all(parser: Parser, stream: Stream, records: Iterable[Record]) -> list[Entry | Unparsed]:
    """Return what a parser, under guard or not, makes of all these records."""
    if isinstance(parser, GuardedParser):
        return parser.parse_all(stream, records)
    return [entry for record in records for entry in parser.parse(stream, record)]


def unparsed(record: Record, format: str, why: str) -> Unparsed:  # noqa: A002
    """Return a record as what its parser, which failed, could not understand."""
    return Unparsed(record.offset, len(record.body), f"parser {format} failed: {why}")


class GuardedPrices:
    """Prices that know none where they fail."""

    def __init__(self, prices: Prices, plugin: str, faults: Faults, calls: Calls) -> None:
        self.version = prices.version
        self._prices = prices
        self._plugin = plugin
        self._faults = faults
        self._calls = calls

    def cost(self, response: Response, at: int) -> Cost | None:
        try:
            with self._calls.of(self._plugin):
                cost = self._prices.cost(response, at)
            if cost is not None:
                _require_sum(answers(Cost, cost))
        except BaseException as error:  # noqa: BLE001
            self._faults.note(self._plugin, "prices", told(error))
            return None
        self._faults.well(self._plugin, "prices")
        return cost


def _require_sum(cost: Cost) -> None:
    if not (type(cost.nanos) is int and 0 <= cost.nanos <= MOST_NANOS):
        raise ValueError(f"a cost is between 0 and {MOST_NANOS} nano-dollars")


class NoPrices(Prices):
    """Knows none."""

    version = ""

    def cost(self, response: Response, at: int) -> Cost | None:  # noqa: ARG002
        return None


class GuardedCache(Cache):
    """A cache that has forgotten where it fails, or cannot be asked."""

    def __init__(self, cache: Cache, plugin: str, faults: Faults) -> None:
        self._cache = cache
        self._plugin = plugin
        self._faults = faults

    async def __aenter__(self) -> GuardedCache:
        await _entered(self._cache, self._plugin)
        return self

    async def __aexit__(self, *_: object) -> None:
        await left(self._cache, self._plugin, self._faults)

    async def get(self, key: str, /) -> bytes | None:
        import trio

        found: bytes | None = None
        with self._noting("cache, get"), trio.fail_after(LIMITS.call):
            found = await self._cache.get(key)
            if found is not None:
                answers(bytes, found)
            return found
        return None

    async def put(self, key: str, value: bytes, /) -> None:
        import trio

        with self._noting("cache, put"), trio.fail_after(LIMITS.call):
            await self._cache.put(key, value)

    async def keep_asking(self) -> None:
        """Ask now and then while it is told of as away: that it is back is seen though nobody else asks."""
        import trio

        while True:
            await trio.sleep(ASK_AGAIN_SECONDS)
            if self._faults.holds(self._plugin, "cache"):
                await self.get("")

    @contextmanager
    def _noting(self, where: str) -> Iterator[None]:
        try:
            yield
        except CacheUnavailableError as error:
            self._faults.note(self._plugin, "cache", error.problem, code=error.code, fix=error.fix)
        except BaseException as error:  # noqa: BLE001
            self._faults.note(self._plugin, where, _late(_own(error)))
        else:
            self._faults.well(self._plugin, "cache")
            self._faults.well(self._plugin, where)


class GuardedAuth(Auth):
    """Auth that lets nobody in where it fails."""

    def __init__(self, auth: Auth, plugin: str, faults: Faults) -> None:
        self.challenge = answers(str, auth.challenge)
        self._auth = auth
        self._plugin = plugin
        self._faults = faults

    async def __aenter__(self) -> GuardedAuth:
        await _entered(self._auth, self._plugin)
        return self

    async def __aexit__(self, *_: object) -> None:
        await left(self._auth, self._plugin, self._faults)

    async def identify(self, peer: Peer) -> User | None:
        """Raises PluginError where the plugin fails: nobody knows who this is."""
        import trio

        try:
            with trio.fail_after(LIMITS.call):
                user = await self._auth.identify(peer)
            if user is not None and answers(User, user).role not in {"owner", "admin", "user"}:
                raise TypeError(f"a user has no role {user.role!r}")
        except BaseException as error:
            self._faults.note(self._plugin, "auth", _late(_own(error)))
            raise PluginError(self._plugin, "auth failed; the log says why") from error
        self._faults.well(self._plugin, "auth")
        return user

    async def ended(self, user: User) -> None:
        """Returns also where the plugin fails: what a user presented counts no more then."""
        try:
            await self._auth.ended(user)
        except BaseException as error:  # noqa: BLE001
            self._faults.note(self._plugin, "auth, ended", told(_own(error)))


async def _entered(role: Auth | Cache, plugin: str) -> None:
    """Raises PluginError where it does not open: it was chosen, so nothing goes on without it."""
    import trio

    try:
        with trio.fail_after(LIMITS.start):
            await role.__aenter__()
    except BaseException as error:
        problem = f"it cannot be opened: {_late(_own(error))}; choose another"
        raise PluginError(plugin, problem) from error


async def left(role: AbstractAsyncContextManager[Any], plugin: str, faults: Faults, *raised: Any) -> None:
    """Leave a role, whatever it does: what it should have kept it has kept, and others are to be left yet."""
    import trio

    try:
        with trio.fail_after(LIMITS.call):
            await role.__aexit__(*(raised or (None, None, None)))
    except BaseException as error:  # noqa: BLE001
        faults.note(plugin, "end", _late(_own(error)))


def _own(error: BaseException) -> BaseException:
    """Return what a plugin raised, or raise the cancellation that came through it."""
    cancelled, own = apart(error)
    if cancelled is not None or own is None:
        raise error
    return own


def _late(error: BaseException) -> str:
    import trio

    return f"no answer within {LIMITS.call:g} seconds" if isinstance(error, trio.TooSlowError) else told(error)
