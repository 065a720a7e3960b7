"""Who is asking: the owner, by the word of the kernel; a name of the file, by its password."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from types import TracebackType

import bcrypt
import structlog
import trio

from ccod import Auth, ConfigError, Peer, User, expanded
from ccod_basic_auth.htpasswd import Book, Signature, read, signature
from ccod_basic_auth.passwords import Checker
from ccod_basic_auth.settings import BasicSettings

PREFIX = "basic/"
"""So begins the id of a user, that none is taken for the owner."""
OWNER = User("owner", "", "owner")
ADMIN = User("owner", "", "admin")

log = structlog.get_logger("ccod.basic")


class BasicAuth(Auth):
    """Browsers present a password by themselves once they know it, so no page of another site is anybody here."""

    challenge = 'Basic realm="ccod", charset="UTF-8"'

    def __init__(self, settings: BasicSettings, look_seconds: float = 1.0) -> None:
        """`look_seconds` is how often, at most, it is looked whether the file changed."""
        if not settings.file.strip():
            raise ConfigError(
                "[basic] file: name a htpasswd file, or choose another auth; make one with `htpasswd -Bc`"
            )
        self._settings = settings
        self._look_seconds = look_seconds
        self._path = expanded(settings.file)
        self._checker = Checker()
        self._book = Book()
        self._known: Signature | None = None
        self._looked = 0.0
        self._looking = trio.Lock()

    async def __aenter__(self) -> BasicAuth:
        try:
            mode = self._path.stat().st_mode
            self._known, self._book = signature(self._path), read(self._path)
        except OSError as error:
            raise ConfigError(f"[basic] file: {self._path}: {error.strerror}; make it with `htpasswd -Bc`") from error
        if mode & stat.S_IROTH:
            raise ConfigError(f"[basic] file: {self._path} may be read by everybody; run chmod o-r on it")
        for number, problem in self._book.problems.items():
            raise ConfigError(f"[basic] file: {self._path}:{number} {problem}")
        self._looked = trio.current_time()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """There is nothing to close."""

    async def identify(self, peer: Peer) -> User | None:
        """See `ccod.Auth`."""
        if peer.foreign:
            return None
        if peer.token is not None:
            return await self._named(peer.token, peer.address)
        if peer.uid != os.getuid():
            return None
        return ADMIN if peer.unix else OWNER

    async def ended(self, user: User) -> None:
        """See `ccod.Auth`."""
        if not user.credential:
            await trio.sleep_forever()
        while self._user(user.id.removeprefix(PREFIX)) == user:
            await trio.sleep(self._look_seconds)
            await self._look()

    async def _named(self, token: str, address: str) -> User | None:
        try:
            name, colon, password = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        await self._look()
        kept = self._book.hashes.get(name)
        if not colon or not await self._checker.matches((name, address), password.encode(), kept, self._stand_in()):
            return None
        return self._user(name)

    def _user(self, name: str) -> User | None:
        kept = self._book.hashes.get(name)
        if kept is None:
            return None
        credential = hashlib.sha256(kept).hexdigest()[:16]
        return User(PREFIX + name, "", "admin" if name in self._settings.admins else "user", credential=credential)

    def _stand_in(self) -> bytes:
        """Return what looks like a hash of this file, of a password that nobody knows, and takes as long to check."""
        cost = next(iter(self._book.hashes.values()), b"$2y$12").split(b"$")[2]
        return bcrypt.gensalt(int(cost)).replace(b"$2b$", b"$2y$") + b"." * 31

    async def _look(self) -> None:
        """Read the file again if it changed. What can be read of it holds, and the log names what cannot."""
        async with self._looking:
            if trio.current_time() < self._looked + self._look_seconds:
                return
            self._looked = trio.current_time()
            found = await trio.to_thread.run_sync(signature, self._path)
            if found == self._known:
                return
            try:
                self._book = await trio.to_thread.run_sync(read, self._path)
            except OSError as error:
                self._book = Book()
                log.warning("nobody can log in, the file of passwords cannot be read", reason=error.strerror)
            self._known = found
            for number, problem in self._book.problems.items():
                log.warning("a line of the file of passwords is left out", line=number, problem=problem)
