"""The `[jwt]` table."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from ccod import ConfigError, Seconds, setting
from ccod_jwt.strength import REMEDY, weakness

SHORTEST = 60.0
LONGEST = 10 * 365 * 86400.0


class JwtSettings(Struct, forbid_unknown_fields=True):
    """Accounts and their tokens."""

    secret: Annotated[
        str,
        setting(
            'Key that signs tokens, 32 bytes or more: a text, or { file = "/path" } or { env = "NAME" }; '
            "one is made beside the database if empty.",
            env="JWT_SECRET",
            secret=True,
        ),
    ] = ""
    previous_secret: Annotated[
        str,
        setting("Key that signs no more and is still believed, while you change keys.", secret=True),
    ] = ""
    expires_in: Annotated[Seconds, setting("How long an access token is valid.", env="JWT_EXPIRES_IN", le=LONGEST)] = (
        24 * 3600.0
    )
    refresh_expires_in: Annotated[
        Seconds, setting("How long a refresh token is valid, and a login that nobody uses.", le=LONGEST)
    ] = 30 * 24 * 3600.0
    bcrypt_rounds: Annotated[
        int,
        setting("Cost of a password's hash; each step doubles its time.", env="BCRYPT_SALT_ROUNDS", ge=4, le=18),
    ] = 12
    registration: Annotated[bool, setting("Whether strangers may register.")] = False
    sight: Annotated[
        Literal["auto", "own", "all"],
        setting(
            "Whose conversations who is no administrator sees: those of `own` machines, or `all`; "
            "`auto` is own where several daemons may share the storage."
        ),
    ] = "auto"

    def __post_init__(self) -> None:
        if self.expires_in < SHORTEST:
            raise ConfigError(f"[jwt] expires_in: {self.expires_in} s is too short; set it to a minute or more")
        if self.refresh_expires_in < self.expires_in:
            raise ConfigError(
                f"[jwt] refresh_expires_in: {self.refresh_expires_in} s is less than expires_in; set it to that or more"
            )
        for name, key in (("secret", self.secret), ("previous_secret", self.previous_secret)):
            problem = weakness(key) if key else None
            if problem:
                raise ConfigError(f"[jwt] {name}: {problem}; {REMEDY}")
