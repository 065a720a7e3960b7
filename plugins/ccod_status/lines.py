"""How `ccod status` tells what the daemon answered. The standard library's cheapest modules alone: see `quick`."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

WELL = ("running", "starting")


def local_zone() -> str:
    """Return the name of this machine's time zone, such as `Europe/Berlin`; UTC where none is known."""
    named = os.environ.get("TZ", "").removeprefix(":") or os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    return named if named and named[0] != "/" and len(named) <= 64 else "UTC"


def exit_code(status: dict[str, Any]) -> int:
    return 0 if status["status"] == "healthy" else 1


def lines(status: dict[str, Any]) -> Iterator[str]:
    """Yield what a person reads."""
    how = "is well" if status["status"] == "healthy" else "is not well"
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() - status["uptime"]))
    yield f"ccod {status['version']} {how}: up {spoken(status['uptime'])}, since {began}"
    yield f"  serves    {', '.join(status['servedAt'])}"
    for name, service in sorted(status["services"].items()):
        if service["state"] not in WELL:
            yield printable(f"  problem   {name} is {service['state']}: {service['reason'] or 'the log tells why'}")
    for name, task in [("backfill", status["backfill"]), *sorted(status["tasks"].items())]:
        if task["done"] < task["total"]:
            yield f"  {name:<9} {100 * task['done'] // task['total']} %"
    storage = status["storage"]
    yield (
        f"  stored    {storage['projects']:,} projects, {storage['conversations']:,} conversations, "
        f"{storage['messages']:,} messages in {megabytes(storage['size'] + storage['journal'])}"
    )
    now = status["sessions"]
    working = now["active"] + now["pending_tool"]
    yield f"  sessions  {working} working, {now['waiting']} waiting for you, {now['error']} failed"
    today = status["today"]
    cost = today["usage"]["costUsd"]
    unpriced = f", {today['unpricedCount']:,} responses without a price" if today["unpricedCount"] else ""
    spent = "no known price" if cost is None else f"${cost:,.2f}"
    yield f"  today     {spent}, {today['usage']['totalTokens']:,} tokens{unpriced}"


def spoken(seconds: float) -> str:
    """Return a duration in its two largest units."""
    minutes, hours, days = int(seconds) // 60, int(seconds) // 3600, int(seconds) // 86400
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min {int(seconds) % 60} s"


def megabytes(size: int) -> str:
    return f"{size / 1e9:,.2f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def printable(text: str) -> str:
    """Make visible what a terminal might obey."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
