"""What `ccod doctor` finds about prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib.resources import files

import msgspec

from ccod import Finding, upgrade_command

OLD_DAYS = 120


class Dated(msgspec.Struct):
    date: date


def findings(today: date | None = None) -> Iterator[Finding]:
    made = msgspec.json.decode(files("ccod_prices").joinpath("prices.json").read_bytes(), type=Dated).date
    days = ((today or datetime.now(UTC).date()) - made).days
    text = f"the list of prices is of {made}"
    if days > OLD_DAYS:
        yield Finding("prices", "warning", f"{text}, {days} days old", upgrade_command())
    else:
        yield Finding("prices", "ok", text)
