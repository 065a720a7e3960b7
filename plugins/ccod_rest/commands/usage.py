"""`ccod usage`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from ccod import Settings
from ccod_http.printing import print_json, printable
from ccod_rest.commands.spending import spending_command

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
    json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")

    @click.group()
    def usage() -> None:
        """Tokens and their cost at list price."""

    @usage.command()
    @click.argument("conversation")
    @json_option
    def explain(conversation: str, as_json: bool) -> None:
        """Show for each API response of CONVERSATION what was counted, what not, and why."""
        from urllib.parse import quote

        from ccod_http.client import get

        found = get(settings(), f"/api/conversations/{quote(conversation, safe='')}/usage")
        if as_json:
            print_json(explained=found)
        else:
            _echo(explanation(found))

    @usage.command()
    @click.option("--since", metavar="TIME", help="Leave out blocks that ended before this date or time.")
    @click.option("--until", metavar="TIME", help="Leave out responses after this date or time.")
    @json_option
    def blocks(since: str | None, until: str | None, as_json: bool) -> None:
        """Show usage by blocks of five hours, each response counted once over all conversations."""
        from ccod_http.client import get

        found = get(settings(), "/api/usage/blocks", startDate=since, endDate=until)
        if as_json:
            print_json(blocks=found)
        else:
            _echo(map(block_line, found))

    for period in ("daily", "weekly", "monthly"):
        usage.add_command(spending_command(settings, period, "period"))
    usage.add_command(spending_command(settings, "sessions", "title"))
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


def block_line(block: Any) -> str:
    times = f"{block['startTime'][:16]} to {block['endTime'][:16]}"
    if block["isGap"]:
        return f"{times}  nothing"
    active = "  active" if block["isActive"] else ""
    return f"{times}  {totals(block['usage'])}  {', '.join(block['models'])}{active}"


def totals(usage: Any) -> str:
    cost = "no known price" if usage["costUsdMicros"] is None else f"${usage['costUsd']:.6f}"
    return f"{usage['totalTokens']:>14,} tokens  {cost}"


def dollars(nanos: int) -> str:
    return f"${nanos // 10**9}.{nanos % 10**9:09}"


def _echo(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(printable(line))
