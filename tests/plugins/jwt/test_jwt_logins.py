"""Logins against a model: whatever is done in whatever order, exactly the tokens that should be are valid."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, field
from msgspec.structs import replace

from ccod import Peer
from ccod.testing.asking import Clock
from ccod.testing.shelf import Shelf
from ccod_jwt.auth import JwtAuth
from ccod_jwt.ledger import Account, Session
from ccod_jwt.logins import MOST_SESSIONS, Login
from ccod_jwt.refusals import RefusedError
from tests.plugins.jwt.office import HERE, OTHER, PASSWORD, known, office, who

DAY = 86_400_000


class Family(Struct):
    """A login in the model: its refresh tokens, the last of which is good, and its access tokens."""

    person: int
    refresh: list[str]
    access: list[str]
    alive: bool = True


class Person(Struct):
    id: str
    email: str
    password: str
    role: str = "user"
    there: bool = True


class Model(Struct):
    auth: JwtAuth
    people: list[Person] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)

    async def check(self) -> None:
        """Every access token that was ever given is valid exactly if its login goes on, and shows the role of now."""
        for family in self.families:
            person = self.people[family.person]
            for token in family.access:
                user = await who(self.auth, token)
                assert (user is not None) == family.alive
                assert user is None or (user.id, user.role) == (person.id, person.role)

    async def log_in(self, at: int) -> None:
        person = self.people[at % len(self.people)]
        if not person.there:
            await refused("AUTH_FAILED", self.auth.logins.log_in, person.email, person.password, f"anywhere {at}")
            return
        login = await self.auth.logins.log_in(person.email, person.password, HERE)
        self.families.append(Family(at % len(self.people), [login.refresh_token], [login.access_token]))

    async def log_in_wrongly(self, at: int) -> None:
        person = self.people[at % len(self.people)]
        await refused("AUTH_FAILED", self.auth.logins.log_in, person.email, "not the password", f"address {at}")

    async def refresh(self, at: int) -> None:
        family = self.family(at)
        if family is None:
            return
        if not family.alive:
            await refused("AUTH_TOKEN_INVALID", self.auth.logins.refresh, family.refresh[-1])
            return
        self.take(family, await self.auth.logins.refresh(family.refresh[-1]))

    async def refresh_in_parallel(self, at: int) -> None:
        """Of some uses at the same time one wins, and the login goes on."""
        family = self.family(at)
        if family is None or not family.alive:
            return
        won: list[Login] = []

        async def use(token: str) -> None:
            try:
                won.append(await self.auth.logins.refresh(token))
            except RefusedError as error:
                if error.code != "AUTH_TOKEN_INVALID":
                    raise

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(use, family.refresh[-1])
        assert len(won) == 1
        self.take(family, won[0])

    async def reuse(self, at: int) -> None:
        """An old refresh token ends its login."""
        family = self.family(at)
        if family is None or len(family.refresh) < 2:
            return
        await refused("AUTH_TOKEN_INVALID", self.auth.logins.refresh, family.refresh[at % (len(family.refresh) - 1)])
        family.alive = False

    async def mix_up(self, at: int) -> None:
        """Neither kind of token does the work of the other."""
        family = self.family(at)
        if family is not None:
            await refused("AUTH_TOKEN_INVALID", self.auth.logins.refresh, family.access[-1])
            assert await who(self.auth, family.refresh[-1]) is None

    async def log_out(self, at: int) -> None:
        family = self.family(at)
        if family is not None and family.alive:
            await self.auth.logins.log_out(await known(self.auth, family.access[-1]))
            family.alive = False

    async def change_password(self, at: int) -> None:
        family = self.family(at)
        if family is None or not family.alive:
            return
        person = self.people[family.person]
        new = OTHER if person.password == PASSWORD else PASSWORD
        user = await known(self.auth, family.access[0])
        await refused("AUTH_FAILED", self.auth.logins.change_password, user, new, new, f"elsewhere {at}")
        await self.auth.logins.change_password(user, person.password, new, HERE)
        person.password = new
        for other in self.families:
            if other.person == family.person and other is not family:
                other.alive = False

    async def change_role(self, at: int) -> None:
        person = self.people[at % len(self.people)]
        if person.there and person is not self.people[0]:
            person.role = "admin" if person.role == "user" else "user"
            await self.auth.accounts.change(person.id, person.role, None)  # type: ignore[arg-type]

    async def remove(self, at: int) -> None:
        person = self.people[at % len(self.people)]
        if person.there and person is not self.people[0]:
            await self.auth.accounts.remove(person.id)
            person.there = False
            for family in self.families:
                if self.people[family.person] is person:
                    family.alive = False

    def family(self, at: int) -> Family | None:
        return self.families[at % len(self.families)] if self.families else None

    def take(self, family: Family, login: Login) -> None:
        family.refresh.append(login.refresh_token)
        family.access.append(login.access_token)


STEPS: tuple[Callable[[Model, int], Any], ...] = (
    Model.log_in,
    Model.log_in_wrongly,
    Model.refresh,
    Model.refresh_in_parallel,
    Model.reuse,
    Model.mix_up,
    Model.log_out,
    Model.change_password,
    Model.change_role,
    Model.remove,
)


async def refused(code: str, work: Callable[..., Any], *values: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        await work(*values)
    assert caught.value.code == code


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 99)), max_size=18))
async def test_exactly_the_tokens_that_should_be_are_valid(
    steps: list[tuple[Callable[[Model, int], Any], int]],
) -> None:
    shelf = Shelf()
    async with office(shelf) as auth:
        model = Model(auth)
        for name in ("one", "two"):
            account = await auth.accounts.add(f"{name}@example.com", PASSWORD, "admin" if name == "one" else "user")
            model.people.append(Person(account.id, account.email, PASSWORD, account.role))
            await model.log_in(len(model.people) - 1)
        for step, at in steps:
            await step(model, at)
            await model.check()
    async with office(shelf) as model.auth:
        await model.check()


async def test_the_least_used_login_makes_room() -> None:
    clock = Clock()
    async with office(clock=clock) as auth:
        account = await auth.accounts.add("me@example.com", PASSWORD, "user")
        logins = []
        for _ in range(MOST_SESSIONS):
            clock.now += 1000
            logins.append(await auth.logins.begin(account))
        clock.now += 1000
        first = await auth.logins.refresh(logins[0].refresh_token)
        await auth.logins.begin(account)
        assert await who(auth, first.access_token)
        assert await who(auth, logins[1].access_token) is None
        assert await who(auth, logins[2].access_token)
        assert len(auth.ledger.all(Session)) == MOST_SESSIONS


async def test_logins_that_expired_are_swept() -> None:
    clock, shelf = Clock(), Shelf()
    async with office(shelf, clock) as auth:
        one = await auth.accounts.add("one@example.com", PASSWORD, "user")
        two = await auth.accounts.add("two@example.com", PASSWORD, "user")
        old = await auth.logins.begin(one)
        clock.now += 31 * DAY
        assert await who(auth, old.access_token) is None
        await refused("AUTH_TOKEN_INVALID", auth.logins.refresh, old.refresh_token)
        await auth.logins.begin(two)
        assert [session.account_id for session in auth.ledger.all(Session)] == [two.id]
        assert sum(key.startswith("login_") for key in shelf.all_kept["jwt"]) == 1


async def test_an_access_token_ends_in_time() -> None:
    clock = Clock()
    async with office(clock=clock, expires_in=60.0) as auth:
        login = await auth.logins.begin(await auth.accounts.add("me@example.com", PASSWORD, "user"))
        assert login.expires_in == 60
        clock.now += 59_000
        assert await who(auth, login.access_token)
        clock.now += 12_000
        assert await who(auth, login.access_token) is None
        assert await who(auth, (await auth.logins.refresh(login.refresh_token)).access_token)


async def test_the_cost_of_a_hash_follows_the_settings() -> None:
    shelf = Shelf()
    async with office(shelf) as auth:
        account = await auth.accounts.add("me@example.com", PASSWORD, "user")
        assert account.password.startswith("$2b$04$")
    async with office(shelf, bcrypt_rounds=5) as auth:
        await auth.logins.log_in("Me@Example.com", PASSWORD, HERE)
        (kept,) = auth.ledger.all(Account)
        assert kept.password.startswith("$2b$05$")
        await auth.logins.log_in("me@example.com", PASSWORD, HERE)


class SlowShelf(Shelf):
    """A storage whose disk takes its time, so that others come in between."""

    async def keep(self, namespace: str, changes: Mapping[str, bytes | None]) -> None:
        await trio.sleep(0.02)
        await super().keep(namespace, changes)


async def test_of_many_first_accounts_one_is_an_administrators() -> None:
    async with office(SlowShelf()) as auth:
        owner = await auth.identify(Peer(uid=os.getuid()))
        made: list[Account] = []

        async def register(number: int) -> None:
            made.append(await auth.accounts.register(owner, f"user{number}@example.com", PASSWORD))

        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(register, number)
        assert sorted(account.role for account in made) == ["admin"] + ["user"] * 7


async def test_of_many_who_register_one_address_one_gets_it() -> None:
    async with office(SlowShelf(), registration=True) as auth:
        codes: list[str] = []

        async def register() -> None:
            try:
                codes.append((await auth.accounts.register(None, "Me@example.com", PASSWORD)).role)
            except RefusedError as error:
                codes.append(error.code)

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(register)
        assert sorted(codes) == ["RESOURCE_ALREADY_EXISTS"] * 3 + ["user"], "a stranger is never an administrator"


async def test_strangers_do_not_register_unless_they_may() -> None:
    async with office() as auth:
        await refused("ACCESS_DENIED", auth.accounts.register, None, "me@example.com", PASSWORD)
        account = await auth.accounts.add("me@example.com", PASSWORD, "user")
        user = await known(auth, (await auth.logins.begin(account)).access_token)
        await refused("ACCESS_DENIED", auth.accounts.register, user, "you@example.com", PASSWORD)


async def test_the_last_administrator_stays() -> None:
    async with office(SlowShelf()) as auth:
        one = await auth.accounts.add("one@example.com", PASSWORD, "admin")
        two = await auth.accounts.add("two@example.com", PASSWORD, "admin")
        await auth.accounts.change(two.id, "user", None)
        await refused("LAST_ADMIN", auth.accounts.change, one.id, "user", None)
        await refused("LAST_ADMIN", auth.accounts.remove, one.id)
        await auth.accounts.change(one.id, "admin", OTHER)
        await auth.accounts.remove(two.id)
        codes: list[str] = []
        two = await auth.accounts.add("two@example.com", PASSWORD, "admin")

        async def remove(account: Account) -> None:
            try:
                await auth.accounts.remove(account.id)
            except RefusedError as error:
                codes.append(error.code)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(remove, one)
            nursery.start_soon(remove, two)
        assert codes == ["LAST_ADMIN"]


async def test_what_is_removed_while_its_password_is_checked_gets_no_login() -> None:
    async with office() as auth:
        account = await auth.accounts.add("me@example.com", PASSWORD, "user")
        async with trio.open_nursery() as nursery, auth.ledger.lock:
            nursery.start_soon(refused, "AUTH_FAILED", auth.logins.log_in, account.email, PASSWORD, HERE)
            while not auth.ledger.lock.statistics().tasks_waiting:
                await trio.sleep(0.001)
            await auth.ledger.change(without=[account])
        assert auth.ledger.all(Session) == []


async def test_another_role_while_a_password_is_checked_is_the_role_of_the_login() -> None:
    async with office() as auth:
        account = await auth.accounts.add("me@example.com", PASSWORD, "user")
        logins: list[Login] = []

        async def log_in() -> None:
            logins.append(await auth.logins.log_in(account.email, PASSWORD, HERE))

        async with trio.open_nursery() as nursery, auth.ledger.lock:
            nursery.start_soon(log_in)
            while not auth.ledger.lock.statistics().tasks_waiting:
                await trio.sleep(0.001)
            await auth.ledger.change(replace(account, role="admin"))
        assert logins[0].account.role == "admin"
