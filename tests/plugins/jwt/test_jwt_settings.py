"""The table `[jwt]`, and what the plugin offers beside the role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ccod import ConfigError, Redactor, StorageUnavailableError
from ccod.configuration import Configuration
from ccod.testing.shelf import Shelf
from ccod_jwt import ccod_redaction_rules
from ccod_jwt.auth import JwtAuth
from ccod_jwt.ledger import INSTANCE, Session
from ccod_jwt.settings import JwtSettings
from tests.plugins.http.serving import SECRET
from tests.plugins.jwt.office import PASSWORD, office, who


def test_the_seed_s_variables_act(tmp_path: Path) -> None:
    environ = {"JWT_SECRET": SECRET, "JWT_EXPIRES_IN": "12h", "BCRYPT_SALT_ROUNDS": "10"}
    configuration = Configuration(None, environ | {"XDG_CONFIG_HOME": str(tmp_path)})
    found = configuration.settings({"jwt": JwtSettings})[JwtSettings]
    assert found == JwtSettings(secret=SECRET, expires_in=12 * 3600.0, bcrypt_rounds=10)


@pytest.mark.parametrize("values", [{"expires_in": 1.0}, {"expires_in": 86400.0, "refresh_expires_in": 3600.0}])
def test_lifetimes_that_make_no_sense_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="expires_in"):
        JwtAuth(JwtSettings(secret=SECRET, **values), Shelf())


def test_a_refresh_token_may_be_valid_as_long_as_an_access_token_and_that_for_a_minute() -> None:
    settings = JwtSettings(secret=SECRET, expires_in=60.0, refresh_expires_in=60.0)
    assert (settings.expires_in, settings.refresh_expires_in) == (60.0, 60.0)


def test_keys_are_masked_wherever_text_is_shown() -> None:
    redactor = Redactor(ccod_redaction_rules())
    assert redactor.mask(f"curl -H 'Bearer ccod_{'aB3-_' * 8}xyz'") == "curl -H 'Bearer «redacted:ccod-key»'"
    assert redactor.mask("import ccod_jwt.administration_of_accounts") == "import ccod_jwt.administration_of_accounts"


async def test_another_instance_with_the_same_key_takes_no_token() -> None:
    shelf = Shelf()
    async with office(shelf) as auth:
        login = await auth.logins.begin(await auth.accounts.add("me@example.com", PASSWORD, "user"))
        assert await who(auth, login.access_token)
    shelf.all_kept["jwt"][INSTANCE] = b"another"
    async with office(shelf) as auth:
        assert await who(auth, login.access_token) is None


async def test_the_previous_key_is_believed_and_signs_no_more() -> None:
    shelf, other = Shelf(), SECRET[::-1]
    async with office(shelf) as auth:
        old = await auth.logins.begin(await auth.accounts.add("me@example.com", PASSWORD, "user"))
    async with office(shelf, secret=other, previous_secret=SECRET) as auth:
        assert await who(auth, old.access_token)
        new = await auth.logins.refresh(old.refresh_token)
    async with office(shelf, secret=other) as auth:
        assert await who(auth, old.access_token) is None
        assert await who(auth, new.access_token)


class FullDisk(Shelf):
    full = False

    async def keep(self, namespace: str, changes: Any) -> None:
        if self.full:
            raise StorageUnavailableError("disk full")
        await super().keep(namespace, changes)


async def test_what_is_not_on_the_disk_did_not_happen() -> None:
    shelf = FullDisk()
    async with office(shelf) as auth:
        account = await auth.accounts.add("me@example.com", PASSWORD, "user")
        login = await auth.logins.begin(account)
        shelf.full = True
        with pytest.raises(StorageUnavailableError):
            await auth.logins.begin(account)
        with pytest.raises(StorageUnavailableError):
            await auth.logins.refresh(login.refresh_token)
        with pytest.raises(StorageUnavailableError):
            await auth.accounts.remove(account.id)
        assert len(auth.ledger.all(Session)) == 1
        assert await who(auth, login.access_token)
        shelf.full = False
        await auth.logins.refresh(login.refresh_token)  # it was not used up


async def test_a_key_works_while_the_disk_is_full() -> None:
    shelf = FullDisk()
    async with office(shelf) as auth:
        account = await auth.accounts.add("me@example.com", PASSWORD, "user")
        user = await who(auth, (await auth.logins.begin(account)).access_token)
        assert user is not None
        _, text = await auth.keys.make(user, "key", ["read"], None)
        shelf.full = True
        assert await who(auth, text)
