"""`ccod usage daily`, `weekly`, `monthly` and `sessions`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import click

from ccod import Settings
from ccod_http.columns import Column, print_table, terminal_width
from ccod_http.printing import print_json, say_none
from ccod_rest.commands.options import Name, Zone, json_option, project_id, project_option, since_option, until_option

COUNTS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalTokens")
COLUMNS = (
    Column("input", right=True, drop=3),
    Column("output", right=True, drop=2),
    Column("written", right=True, drop=5),
    Column("read", right=True, drop=4),
    Column("total", right=True, drop=1),
    Column("cost", right=True),
)
NARROW = 80
LONGEST_PAGE = {"daily": 366, "weekly": 366, "monthly": 366, "sessions": 1000}
HELP = {
    "daily": "Show what was used each day, each API response counted once over all conversations.",
    "weekly": "Show what was used each week, which begins on Monday.",
    "monthly": "Show what was used each month.",
    "sessions": "Show what each conversation used, the one that went on last first.",
}


def spending_command(
    settings: Callable[[], Settings], name: Literal["daily", "weekly", "monthly", "sessions"], title: str
) -> click.Command:
    """Return the command that shows the list `/api/usage/<name>`; `title` is the field that names an item."""

    @click.command(name, help=f"{HELP[name]}\n\nExample: ccod usage {name} --since 20260101 --breakdown")
    @since_option
    @until_option
    @click.option(
        "--timezone",
        "-z",
        type=Zone(),
        metavar="ZONE",
        help="Where days begin, such as Europe/Berlin; UTC unless given.",
    )
    @project_option
    @click.option("--model", type=Name(), metavar="NAME", help="Only what was used of this model.")
    @click.option("--order", type=click.Choice(["asc", "desc"]), default="desc", show_default=True, help="Latest last?")
    @click.option("--breakdown", "-b", is_flag=True, help="A line for each model, also where there is but one.")
    @json_option
    def command(  # noqa: PLR0913
        *,
        since: str | None,
        until: str | None,
        project: str | None,
        order: str,
        breakdown: bool,
        as_json: bool,
        **asked: str | None,
    ) -> None:
        from ccod_http.client import pages

        mine = settings()
        chosen = {"startDate": since, "endDate": until, "projectId": project_id(mine, project)} | asked
        found = [*pages(mine, f"/api/usage/{name}", limit=LONGEST_PAGE[name], **chosen)]
        if order == "asc":
            found.reverse()
        if as_json:
            print_json(**{name: found, "totals": _totals(found)})
        elif found:
            _print_table(found, title, breakdown=breakdown)
        else:
            say_none("is no usage", narrowed=any(chosen.values()))

    return command


def _totals(found: Sequence[Any]) -> dict[str, Any]:
    """Return the sums over all items; what has no price adds nothing to the cost, and is counted."""
    usages = [item["usage"] for item in found]
    micros = sum(usage["costUsdMicros"] or 0 for usage in usages)
    return {
        **{count: sum(usage[count] for usage in usages) for count in COUNTS},
        "costUsd": micros / 1e6,
        "costUsdMicros": micros,
        "responseCount": sum(item["responseCount"] for item in found),
        "unpricedCount": sum(item["unpricedCount"] for item in found),
    }


def _print_table(found: Sequence[Any], title: str, *, breakdown: bool) -> None:
    width = terminal_width()
    narrow = width is not None and width < NARROW
    rows = [*(_narrow_rows if narrow else _rows)(found, title, breakdown=breakdown)]
    if len(found) > 1:
        rows.append(["all", *([] if narrow else [""]), *_cells(_totals(found))])
    first, model = (Column(title, least=16), []) if narrow else (Column(title, least=10), [Column("model", least=10)])
    print_table([first, *model, *COLUMNS], rows)


def _rows(found: Sequence[Any], title: str, *, breakdown: bool) -> Iterator[Sequence[str]]:
    """Yield a row for each item, and below it one for each model where there are several, or that is wanted."""
    for item in found:
        several = breakdown or len(item["models"]) > 1
        yield item[title], "all" if several else item["models"][0]["model"], *_cells(item["usage"])
        for model in item["models"] if several else ():
            yield "", model["model"], *_cells(model)


def _narrow_rows(found: Sequence[Any], title: str, *, breakdown: bool) -> Iterator[Sequence[str]]:
    """Yield the same without a column for models: they stand below their item, where they are wanted."""
    for item in found:
        yield item[title], *_cells(item["usage"])
        for model in item["models"] if breakdown else ():
            yield f"  {model['model']}", *_cells(model)


def _cells(usage: Any) -> Sequence[str]:
    cost = "no price" if usage["costUsdMicros"] is None else f"${usage['costUsd']:,.2f}"
    return *(_short(usage[count]) for count in COUNTS), cost


def _short(count: int) -> str:
    """Return a count for reading; `--json` has it in full."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= 10 * size:
            return f"{count / size:,.1f}{unit}"
    return str(count)
