"""`ccod usage`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from ccod import Settings
from ccod_http.columns import Column, print_table
from ccod_http.printing import dollars as spoken_cost
from ccod_http.printing import print_json, printable, say_none
from ccod_rest.commands.options import conversation_argument, conversation_id, json_option, since_option, until_option
from ccod_rest.commands.spending import spending_command

RECENT = timedelta(days=3)
BLOCKS = (
    Column("begins"),
    Column("ends", drop=3),
    Column("tokens", right=True, drop=1),
    Column("cost", right=True),
    Column("active", drop=2),
    Column("models", drop=4),
)
NOTES = {
    "repeatedLines": "told by {lineCount} lines, the fullest counts",
    "sidechain": "sidechain",
    "subagent": "of subagent {agentId}",
    "ownedByOther": "a copy: counted in conversation {owner}",
    "copyWithin": "a copy of a response of this conversation",
    "unpriced": "no known price: not in the cost",
    "nothingUsed": "used nothing",
    "notice": "a local notice, by no model",
}


def usage_command(settings: Callable[[], Settings]) -> click.Group:
    @click.group()
    def usage() -> None:
        """Tokens and their cost at list price.

        Example: ccod usage daily --since 20260101
        """

    @usage.command()
    @conversation_argument
    @json_option
    def explain(conversation: str, as_json: bool) -> None:
        """Show for each API response of CONVERSATION what was counted, what not, and why.

        CONVERSATION is an id, the beginning of one, or `latest`.

        Example: ccod usage explain latest
        """
        from urllib.parse import quote

        from ccod_http.client import get

        chosen = settings()
        found = get(chosen, f"/api/conversations/{quote(conversation_id(chosen, conversation), safe='')}/usage")
        if as_json:
            print_json(explained=found)
        else:
            _echo(explanation(found))

    @usage.command()
    @since_option
    @until_option
    @click.option("--active", is_flag=True, help="Only the block that goes on now.")
    @click.option("--recent", is_flag=True, help="Only blocks of the last three days, and the one that goes on now.")
    @json_option
    def blocks(*, since: str | None, until: str | None, active: bool, recent: bool, as_json: bool) -> None:
        """Show usage by blocks of five hours, each response counted once over all conversations.

        Example: ccod usage blocks --recent
        """
        from ccod_http.client import get

        if recent and since is None:
            since = (datetime.now(UTC) - RECENT).isoformat(timespec="seconds")
        found = get(settings(), "/api/usage/blocks", startDate=since, endDate=until)
        if active:
            found = [block for block in found if block["isActive"]]
        if as_json:
            print_json(blocks=found)
        elif found:
            print_table(BLOCKS, map(_block, found), heads=False)
        elif active:
            click.echo("no block of five hours goes on now", err=True)
        else:
            say_none("is no usage", narrowed=since or until)

    for period in ("daily", "weekly", "monthly"):
        usage.add_command(spending_command(settings, period, "period"))
    for name in ("sessions", "session"):
        usage.add_command(spending_command(settings, "sessions", "title"), name)
    return usage


def explanation(found: Any) -> Iterator[str]:
    """Yield lines of text: a response, what it was charged for, and what is to be said of it."""
    for response in found["responses"]:
        yield f"{response['timestamp']}  {response['messageId']}  {response['requestId'] or '-'}  {response['model']}"
        for note in response["notes"]:
            yield f"    {NOTES.get(note, note).format_map(response)}"
        for charge in response["charges"]:
            count, nanos = charge["count"], charge["nanos"]
            yield f"    {charge['what']:<16}{count:>12,} x {dollars(nanos)} = {dollars(count * nanos)}"
        for multiplier in response["multipliers"]:
            yield f"    {multiplier['what']:<16}x {multiplier['thousandths'] / 1000:g}, but for web searches"
        if response["costNanos"] is not None:
            yield f"    cost            {dollars(response['costNanos'])}"
    yield f"conversation     {totals(found['usage'])}"
    yield f"with subagents   {totals(found['totalUsage'])}"
    if found["unpriced"]:
        yield f"{found['unpriced']} responses have no known price; give their models one in [pricelist.models]"


def totals(usage: Any) -> str:
    cost = "no known price" if usage["costUsdMicros"] is None else f"${usage['costUsd']:.6f}"
    return f"{usage['totalTokens']:>14,} tokens  {cost}"


def _block(block: Any) -> Sequence[str]:
    times = block["startTime"][:16], f"to {block['endTime'][:16]}"
    if block["isGap"]:
        return *times, "", "nothing", "", ""
    used = block["usage"]
    tokens, active = f"{used['totalTokens']:,} tokens", "active" if block["isActive"] else ""
    return *times, tokens, spoken_cost(used), active, ", ".join(block["models"])


def dollars(nanos: int) -> str:
    return f"${nanos // 10**9}.{nanos % 10**9:09}"


def _echo(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(printable(line))
