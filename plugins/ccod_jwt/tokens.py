"""Signed tokens: written and read with one algorithm, for this instance alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

import jwt
import msgspec
from jwt.types import Options
from msgspec import Struct

ALGORITHM = "HS256"
LEEWAY_SECONDS = 10
LONGEST = 4096
REMEMBERED = 1000
OPTIONS: Options = {
    "require": ["exp", "iat", "nbf", "sub", "iss", "aud", "jti", "typ", "sid"],
    "strict_aud": True,
    # The three times are compared below, with the same clock as everything else here.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}

Kind = Literal["access", "refresh"]

_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Claims(Struct, frozen=True):
    """What a token says: whose it is, of which login, its own id, and when it ends."""

    account_id: str
    session_id: str
    token_id: str
    expires_at: int


class _Payload(Struct, frozen=True):
    sub: str
    sid: str
    jti: str
    typ: str
    exp: int
    nbf: int
    iat: int


class Tokens:
    """`keys` are the signing keys by their ids, of which the first signs; `clock` tells epoch milliseconds."""

    def __init__(self, keys: Mapping[str, bytes], instance: str, clock: Callable[[], int]) -> None:
        self._keys = keys
        self._instance = f"urn:ccod:{instance}"
        self._clock = clock
        self._read: dict[tuple[Kind, str], Claims] = {}

    def write(self, kind: Kind, claims: Claims) -> str:
        now = self._clock() // 1000
        payload = {
            "iss": self._instance,
            "aud": self._instance,
            "sub": claims.account_id,
            "sid": claims.session_id,
            "jti": claims.token_id,
            "typ": kind,
            "iat": now,
            "nbf": now,
            "exp": claims.expires_at // 1000,
        }
        key_id, key = next(iter(self._keys.items()))
        return jwt.encode(payload, key, ALGORITHM, {"kid": key_id})

    def read(self, kind: Kind, text: str) -> Claims | None:
        """Return what a valid token of this kind says, or None. What was read lately is not verified again."""
        claims = self._read.get((kind, text)) or self._verified(kind, text)
        if claims is None or self._clock() >= claims.expires_at + 1000 * LEEWAY_SECONDS:
            return None
        if len(self._read) >= REMEMBERED:
            self._read.clear()
        self._read[kind, text] = claims
        return claims

    def _verified(self, kind: Kind, text: str) -> Claims | None:
        if len(text) > LONGEST or not _FORM.fullmatch(text):
            return None
        try:
            key_id = jwt.get_unverified_header(text).get("kid")
            key = self._keys.get(key_id) if isinstance(key_id, str) else None
            if key is None:
                return None
            claims = jwt.decode(text, key, [ALGORITHM], OPTIONS, audience=self._instance, issuer=self._instance)
            said = msgspec.convert(claims, _Payload)
        except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError, RecursionError):
            return None
        begun = max(said.nbf, said.iat) - LEEWAY_SECONDS <= self._clock() / 1000
        return Claims(said.sub, said.sid, said.jti, said.exp * 1000) if begun and said.typ == kind else None
