"""What `ccod doctor` asks the daemon: how its parts are, and what it could not understand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ccod import Finding, Settings

MANY = 100


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield nothing where no daemon answers: whose port it is says so."""
    from ccod_http.client import RefusedError, get, trouble

    if trouble(settings):
        return
    try:
        types = get(settings, "/api/record-types")
    except RefusedError as error:
        text = f"the daemon does not answer this user: {error}"
        yield Finding("access", "problem", text, "ccod config set http.socket ~/.local/state/ccod/ccod.sock")
        return
    yield Finding("access", "ok", "the daemon answers this user")
    yield from _services(get(settings, "/health").get("details", {}).get("services", {}))
    yield from _unknown(types)
    yield from _quarantine(get(settings, "/api/quarantine", limit=MANY))


def _services(services: dict[str, Any]) -> Iterator[Finding]:
    unwell = {name: each for name, each in services.items() if each["state"] not in {"running", "starting"}}
    for name, each in sorted(unwell.items()):
        yield Finding("services", "problem", f"{name} is {each['state']}: {each['reason']}", "ccod service logs")
    if services and not unwell:
        yield Finding("services", "ok", f"all {len(services)} of them run")


def _unknown(types: list[dict[str, Any]]) -> Iterator[Finding]:
    unknown = [each for each in types if not each["known"]]
    names = sorted({"/".join(filter(None, (each["type"], each["subtype"]))) or "(none)" for each in unknown})
    if unknown:
        text = f"{sum(each['count'] for each in unknown)} records are kept and not understood: {', '.join(names[:20])}"
        yield Finding("unknown-records", "warning", text, "ccod reparse")  # by a version that knows them
    else:
        yield Finding("unknown-records", "ok", "every record is of a known type")


def _quarantine(found: list[dict[str, Any]]) -> Iterator[Finding]:
    if not found:
        yield Finding("quarantine", "ok", "every line could be read")
        return
    first = found[0]
    count = f"{len(found)}{' or more' if len(found) == MANY else ''}"
    where = f"{first['file']} at {first['offset']}, {first['length']} bytes: {first['reason']}"
    text = f"{count} damaged lines are kept and not understood; the last: {where}"
    yield Finding("quarantine", "warning", text, "ccod reparse")
