"""The table `[sqlcipher]` of the configuration file. Where the file lies is said in `[sqlite]`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from ccod import ConfigError, setting
from ccod_sqlcipher.keys import REMEDY, problem_of


class SqlcipherSettings(Struct, forbid_unknown_fields=True):
    """The key of the encrypted database; it holds with storage = "sqlcipher"."""

    key: Annotated[
        str,
        setting(
            '64 hexadecimal digits: { file = "/path" } or { env = "NAME" }; '
            "one is made in the configuration's folder, as sqlcipher.key, if empty.",
            secret=True,
        ),
    ] = ""

    def __post_init__(self) -> None:
        if self.key and (problem := problem_of(self.key)):
            raise ConfigError(f"[sqlcipher] key: {problem}; {REMEDY}")
