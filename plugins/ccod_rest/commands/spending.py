"""`ccod usage daily`, `weekly`, `monthly` and `sessions`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import click

from ccod import Settings
from ccod_http.printing import print_json, printable

COUNTS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalTokens")
HELP = {
    "daily": "Show what was used each day.",
    "weekly": "Show what was used each week; weeks begin on Monday.",
    "monthly": "Show what was used each month.",
    "sessions": "Show what each conversation used, the one that went on last first.",
}


def spending_command(
    settings: Callable[[], Settings], name: Literal["daily", "weekly", "monthly", "sessions"], title: str
) -> click.Command:
    """Return the command that shows the list `/api/usage/<name>`; `title` is the field that names an item."""

    @click.command(name, help=f"{HELP[name]} Each API response counts once over all conversations.")
    @click.option("--since", metavar="TIME", help="Leave out what was used before this date or time.")
    @click.option("--until", metavar="TIME", help="Leave out what was used after this date or time.")
    @click.option("--timezone", metavar="ZONE", help="Where days begin, such as Europe/Berlin; UTC unless given.")
    @click.option("--project", metavar="ID", help="Only conversations of this project.")
    @click.option("--model", metavar="NAME", help="Only what was used of this model.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def command(as_json: bool, since: str | None, until: str | None, project: str | None, **asked: str | None) -> None:
        from ccod_http.client import pages

        chosen = {"startDate": since, "endDate": until, "projectId": project} | asked
        found = [*pages(settings(), f"/api/usage/{name}", limit=200, **chosen)]
        if as_json:
            print_json(**{name: found})
        else:
            _print_table(found, title)

    return command


def _print_table(found: Sequence[Any], title: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in (title, "model"):
        table.add_column(column, overflow="fold", min_width=10)
    for column in ("input", "output", "written", "read", "total", "cost"):
        table.add_column(column, justify="right", no_wrap=True)
    for cells in _rows(found, title):
        table.add_row(*(Text(printable(cell)) for cell in cells))
    Console().print(table)


def _rows(found: Sequence[Any], title: str) -> Iterator[Sequence[str]]:
    """Yield a row for each item, and below it one for each model where there are several."""
    for item in found:
        several = len(item["models"]) > 1
        yield item[title], "all" if several else item["models"][0]["model"], *_cells(item["usage"])
        for model in item["models"] if several else ():
            yield "", model["model"], *_cells(model)


def _cells(usage: Any) -> Sequence[str]:
    cost = "no price" if usage["costUsdMicros"] is None else f"${usage['costUsd']:,.2f}"
    return *(_short(usage[count]) for count in COUNTS), cost


def _short(count: int) -> str:
    """Return a count for reading; `--json` has it in full."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= 10 * size:
            return f"{count / size:,.1f}{unit}"
    return str(count)
