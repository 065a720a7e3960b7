"""`ccod audit`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import click

from ccod import Settings
from ccod_http.columns import Column, print_table
from ccod_http.printing import print_json, say_none
from ccod_rest.commands.options import Name, json_option, since_option, until_option

COLUMNS = (
    Column("at"),
    Column("who", least=8),
    Column("conversation"),
    Column("machine", drop=2),
    Column("from", drop=3),
    Column("route", drop=1),
)


def audit_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.option("--user", type=Name(), metavar="EMAIL|ID", help="Only what this user read.")
    @click.option(
        "--conversation", type=Name(), metavar="ID", help="Only reads of this conversation, forgotten or not."
    )
    @since_option
    @until_option
    @click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
    @json_option
    def audit(conversation: str | None, limit: int, as_json: bool, **asked: str | None) -> None:
        """List who read conversations of machines that are not theirs, the latest first.

        Example: ccod audit --user ada@example.com --since 20260101
        """
        from ccod_http.client import pages

        query = {"conversationId": conversation} | asked
        found = [*islice(pages(settings(), "/api/audit", limit=min(limit, 100), **query), limit)]
        if as_json:
            print_json(reads=found)
        elif found:
            print_table(COLUMNS, map(_cells, found))
        else:
            say_none("are no reads of others' conversations", narrowed=any(query.values()))

    return audit


def _cells(each: Any) -> list[str]:
    return [
        each["at"][:19].replace("T", " "),
        each["email"] or f"{each['userId']} at {each['servedBy']}",
        each["conversationId"],
        each["machine"],
        each["address"],
        each["route"],
    ]
