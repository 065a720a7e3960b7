"""`ccod user`: the daemon's accounts. On the owner's Unix socket whoever runs the daemon is its administrator."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from ccod import CcodError, Settings
from ccod_http.columns import Column
from ccod_http.printing import print_json, printable, say_none
from ccod_jwt.commands.lists import everything, print_items

ROLES = click.Choice(["user", "admin"])

COLUMNS = {
    "id": Column("id", drop=2),
    "email": Column("email", least=8),
    "role": Column("role"),
    "machines": Column("machines", drop=3),
    "createdAt": Column("created", drop=1),
}


def user_commands(settings: Callable[[], Settings]) -> click.Group:
    @click.group()
    def user() -> None:
        """Make, list, change and remove accounts."""

    @user.command()
    @click.argument("email")
    @click.option("--role", type=ROLES, default="user", show_default=True, help="What the account may do.")
    def add(email: str, role: str) -> None:
        """Make an account. Its password is asked for, or read from standard input.

        Example: ccod user add ada@example.com --role admin
        """
        from ccod_http.client import send

        chosen = settings()
        made = send(chosen, "POST", "/api/users", {"email": email, "password": ask_password(), "role": role})
        click.echo(printable(f"{made['email']} is {made['role']}, with the id {made['id']}"))

    @user.command("list")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def list_(as_json: bool) -> None:
        """List the accounts.

        Example: ccod user list
        """
        users = everything(settings(), "/api/users")
        if as_json:
            print_json(users=users)
        elif users:
            print_items(users, COLUMNS)
        else:
            say_none("are no accounts")

    @user.command()
    @click.argument("email", metavar="EMAIL|ID")
    def passwd(email: str) -> None:
        """Give an account another password, which ends all of its logins.

        Example: ccod user passwd ada@example.com
        """
        from ccod_http.client import send

        chosen = settings()
        found = find(chosen, email)
        send(chosen, "PUT", f"/api/users/{found['id']}", {"password": ask_password()})
        click.echo(printable(f"{found['email']} has another password; all logins of that account ended"))

    @user.command()
    @click.argument("email", metavar="EMAIL|ID")
    @click.argument("role", type=ROLES)
    def role(email: str, role: str) -> None:
        """Give an account another role.

        Example: ccod user role ada@example.com admin
        """
        from ccod_http.client import send

        chosen = settings()
        changed = send(chosen, "PUT", f"/api/users/{find(chosen, email)['id']}", {"role": role})
        click.echo(printable(f"{changed['email']} is {changed['role']}"))

    @user.command()
    @click.argument("email", metavar="EMAIL|ID")
    @click.argument("machines", metavar="[MACHINE]...", nargs=-1)
    def machines(email: str, machines: tuple[str, ...]) -> None:
        """Say which machines are an account's, all of them; none takes them all away.

        Where daemons of several machines share a database, an account sees what is of its own.

        Example: ccod user machines ada@example.com ada-laptop ada-desktop
        """
        from ccod_http.client import send

        chosen = settings()
        body = {"machines": [*machines]}
        changed = send(chosen, "PUT", f"/api/users/{find(chosen, email)['id']}", body)
        owned = ", ".join(changed["machines"]) or "none"
        click.echo(printable(f"{changed['email']} has the machines: {owned}"))

    @user.command()
    @click.argument("email", metavar="EMAIL|ID")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def remove(email: str, yes: bool) -> None:
        """Remove an account with its logins and keys.

        Example: ccod user remove ada@example.com
        """
        from ccod_http.client import send

        chosen = settings()
        found = find(chosen, email)
        if not yes:
            click.confirm(printable(f"Remove the account {found['email']}?"), abort=True)
        send(chosen, "DELETE", f"/api/users/{found['id']}")
        click.echo(printable(f"removed {found['email']}"))

    return user


def find(settings: Settings, name: str) -> dict[str, Any]:
    """Return the account with this address or id."""
    from ccod_jwt.emails import normal

    for account in everything(settings, "/api/users"):
        if name == account["id"] or normal(name) == account["email"]:
            return account
    raise CcodError(f"there is no account {printable(name)!r}; `ccod user list` shows all")


def ask_password() -> str:
    """Return a password: typed twice and not shown on a terminal, else the first line of standard input."""
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return password
    try:
        line = sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise CcodError("the password on standard input is no UTF-8 text") from None
    if not line:
        raise CcodError("no password on standard input; type it on a terminal, or write it as the first line")
    return line
