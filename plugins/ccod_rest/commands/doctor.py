"""`ccod doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from ccod import Settings
from ccod_http.printing import print_json, printable

SHOWN = 20


def doctor_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def doctor(as_json: bool) -> None:
        """Show how the daemon is doing, and what of the transcripts it could not understand."""
        from ccod_http.client import get

        chosen = settings()
        found = {
            "health": get(chosen, "/health"),
            "storage": get(chosen, "/api/storage"),
            "unknown": [each for each in get(chosen, "/api/record-types") if not each["known"]],
            "quarantine": get(chosen, "/api/quarantine", limit=100),
        }
        if as_json:
            print_json(**found)
            return
        for line in _lines(**found):
            click.echo(printable(line))

    return doctor


def _lines(
    health: dict[str, Any], storage: dict[str, Any], unknown: list[dict[str, Any]], quarantine: list[dict[str, Any]]
) -> Iterator[str]:
    yield f"ccod {health['version']}: {health['status']}"
    details = health.get("details", {})
    for name, service in sorted(details.get("services", {}).items()):
        yield f"  {name}: {service['state']}{service['reason'] and ', ' + service['reason']}"
    for name, task in sorted({"backfill": details.get("backfill"), **details.get("tasks", {})}.items()):
        if task and task["done"] < task["total"]:
            yield f"  {name}: {task['done']} of {task['total']}"
    size, journal = (f"{storage[name] / 1e6:.1f} MB" for name in ("size", "journal"))
    yield f"{storage['engine']} {storage['version']}: {size}, journal {journal}"
    for fault in storage["faults"]:
        yield f"  known fault: {fault}"
    yield f"unknown record types: {len(unknown)}"
    for each in unknown[:SHOWN]:
        kind = "/".join(filter(None, (each["type"], each["subtype"])))
        yield f"  {kind or '(none)'} in version {each['version'] or '(none)'}: {each['count']}"
    yield f"not understood: {len(quarantine)}{' or more' if len(quarantine) == 100 else ''}"
    for each in quarantine[:SHOWN]:
        yield f"  {each['file']} at {each['offset']}, {each['length']} bytes: {each['reason']}"
