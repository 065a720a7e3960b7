"""`ccod token`: API keys for programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click

from ccod import CcodError, Settings
from ccod_http.columns import Column
from ccod_http.printing import print_json, printable, say_none
from ccod_jwt.commands.lists import everything, print_items

SCOPES = click.Choice(["read", "write", "reveal", "admin"])

COLUMNS = {
    "id": Column("id", drop=1),
    "name": Column("name", least=8),
    "scopes": Column("scopes", drop=2),
    "userId": Column("user", drop=6),
    "createdAt": Column("created", drop=5),
    "lastUsedAt": Column("last used", drop=4),
    "expiresAt": Column("expires", drop=3),
}


def token_commands(settings: Callable[[], Settings]) -> click.Group:
    @click.group()
    def token() -> None:
        """Make, list and revoke API keys."""

    @token.command()
    @click.argument("name")
    @click.option("--scope", "scopes", type=SCOPES, multiple=True, required=True, help="A right; may be repeated.")
    @click.option("--days", type=click.IntRange(1, 36500), help="Let the key expire; else it is valid until revoked.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def create(name: str, scopes: tuple[str, ...], days: int | None, as_json: bool) -> None:
        """Make an API key and print its text, which is shown this once.

        Example: ccod token create dashboard --scope read --days 90
        """
        from ccod_http.client import send

        body: dict[str, object] = {"name": name, "scopes": list(scopes)}
        if days is not None:
            body["expiresAt"] = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        made = send(settings(), "POST", "/api/keys", body)
        if as_json:
            print_json(key=made)
        else:
            click.echo(made["key"])

    @token.command("list")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def list_(as_json: bool) -> None:
        """List the API keys of all users.

        Example: ccod token list
        """
        keys = everything(settings(), "/api/keys")
        if as_json:
            print_json(keys=keys)
        elif keys:
            print_items(keys, COLUMNS)
        else:
            say_none("are no API keys")

    @token.command()
    @click.argument("name", metavar="NAME|ID")
    def revoke(name: str) -> None:
        """Revoke an API key at once.

        Example: ccod token revoke dashboard
        """
        from ccod_http.client import send

        chosen = settings()
        found = [key for key in everything(chosen, "/api/keys") if name in {key["id"], key["name"]}]
        if len(found) != 1:
            problem = "several keys have the name" if found else "there is no key"
            raise CcodError(f"{problem} {printable(name)!r}; `ccod token list` shows their ids")
        send(chosen, "DELETE", f"/api/keys/{found[0]['id']}")
        click.echo(printable(f"revoked {found[0]['name']}"))

    return token
