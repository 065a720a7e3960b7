"""The table `[basic]` of the configuration file."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct, field

from ccod import FilePath, setting


class BasicSettings(Struct, forbid_unknown_fields=True):
    """Names and passwords of a htpasswd file; they hold with auth = "basic"."""

    file: Annotated[
        FilePath,
        setting("The file, with bcrypt hashes alone (`htpasswd -B`); it is read again when it changes."),
    ] = ""
    admins: Annotated[list[str], setting("Names of the file that are administrators.", live=True)] = field(
        default_factory=list
    )
