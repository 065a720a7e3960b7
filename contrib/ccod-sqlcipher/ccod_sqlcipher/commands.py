"""`ccod encrypt`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from ccod import CcodError, Settings


class EncryptError(CcodError):
    """There is nothing to encrypt, or no room for what came of it."""


def encrypt_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.argument("plain", type=click.Path(path_type=Path))
    @click.argument("to", type=click.Path(path_type=Path))
    @click.option("--old-key", type=click.Path(path_type=Path), help="File of the key with which PLAIN is encrypted.")
    def encrypt(plain: Path, to: Path, old_key: Path | None) -> None:
        """Write an encrypted copy of PLAIN, a backup that is not encrypted, to the new file TO, and check it.

        With --old-key, PLAIN is encrypted with that key, and the copy with the one that is in use now.

        \b
        ccod db backup plain.db
        ccod encrypt plain.db sealed.db
        ccod config set storage sqlcipher
        ccod db restore sealed.db
        """
        from sqlcipher3 import dbapi2

        from ccod_sql.engine import SQLITE
        from ccod_sqlcipher.driver import Sqlcipher
        from ccod_sqlcipher.export import encrypt as write
        from ccod_sqlcipher.keys import key_file, made_key, read_key
        from ccod_sqlcipher.settings import SqlcipherSettings

        source, target = plain.absolute(), to.absolute()
        if not source.is_file():
            raise EncryptError(f"{source}: there is no such file; name a backup, as `ccod db backup` makes it")
        if target.exists():
            raise EncryptError(f"{target}: is there already; name a new file")
        try:
            before = Sqlcipher(read_key(old_key)) if old_key else SQLITE
        except OSError as error:
            raise EncryptError(f"{old_key}: {error.strerror}; name the file of the old key") from error
        key = settings()[SqlcipherSettings].key or made_key(key_file(), target)
        try:
            write(source, target, Sqlcipher(key), before)
        except (OSError, dbapi2.Error) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise EncryptError(f"{target}: the copy could not be made: {reason}; mend that, and try again") from error
        click.echo(
            f'{target}: encrypted and checked. To use it: `ccod db restore {target}`, with storage = "sqlcipher"'
        )

    return encrypt
