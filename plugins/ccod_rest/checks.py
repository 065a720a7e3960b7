"""What `ccod doctor` asks the daemon: how its parts are, and what it could not understand."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ccod import Finding, Settings, restart_advice, upgrade_command

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
        yield Finding("access", "problem", text, _admitted(settings))
        return
    yield Finding("access", "ok", "the daemon answers this user")
    details = get(settings, "/health").get("details", {})
    yield from _services(details.get("services", {}), details.get("reasons", []))
    yield from _unknown(types)
    yield from _quarantine(get(settings, "/api/quarantine", limit=MANY))


def _admitted(settings: Settings) -> str:
    """Return what makes the daemon answer this user: its Unix socket, once it serves there."""
    from ccod_http.web import HttpSettings

    if name := settings[HttpSettings].socket:
        return f"let the daemon run as this user, so that it serves at {name}: {restart_advice()}"
    return f"`ccod config set http.socket ~/.local/state/ccod/ccod.sock`; then {restart_advice()}"


def _services(services: dict[str, Any], reasons: Sequence[dict[str, str]]) -> Iterator[Finding]:
    """Yield each reason for which one is not well, with what the daemon itself says mends it."""
    for reason in reasons:
        service = reason["service"]
        text = f"{service} is {services[service]['state']}: {reason['text']} ({reason['code']})"
        yield Finding("services", "problem", text, reason["fix"])
    if services and not reasons:
        yield Finding("services", "ok", f"all {len(services)} of them run")


def _unknown(types: list[dict[str, Any]]) -> Iterator[Finding]:
    unknown = [each for each in types if not each["known"]]
    names = sorted({"/".join(filter(None, (each["type"], each["subtype"]))) or "(none)" for each in unknown})
    if unknown:
        text = f"{sum(each['count'] for each in unknown)} records are kept and not understood: {', '.join(names[:20])}"
        yield Finding("unknown-records", "warning", text, f"`{upgrade_command()}`, once a newer ccod knows them")
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
    yield Finding("quarantine", "warning", text, _looked_at(first))


def _looked_at(damaged: dict[str, Any]) -> str:
    """Return what shows the bytes of a damaged line: no command can mend them."""
    show = f"ccod restore {damaged['conversationId']}"
    if Path(damaged["file"]).exists():
        show = f"tail -c +{damaged['offset'] + 1} {shlex.quote(damaged['file'])} | head -c {damaged['length']}"
    return f"nothing mends what was written so, and nothing else is lost; `{show}` shows it"
