"""Several daemons count requests together, by a plugin that can; where it cannot be asked, each counts by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import trio

from ccod import CacheUnavailableError, ConfigError, Faults, PluginError
from ccod_http.quota import Counts, Quota, Verdict

LIMIT_SECONDS = 10.0
WHERE = "limits"


class Together:
    """Asks `counts` of a plugin. What it fails at is told of in `/health`; nobody is let in more often for it."""

    def __init__(self, plugin: str, counts: Counts, faults: Faults) -> None:
        self._plugin = plugin
        self._counts = counts
        self._faults = faults

    async def take(self, pace: str, quota: Quota, caller: str, own: Verdict) -> Verdict:
        """Return what is to be said of a request that is within its quota here, and was counted here: `own`."""
        try:
            with self._faults.noting(self._plugin, WHERE), trio.fail_after(LIMIT_SECONDS):
                within, used = await self._counts.take(f"{pace}:{caller}", quota.most, quota.window)
                verdict = quota.verdict(max(used, own.full_in), within=within)
        except CacheUnavailableError as error:
            self._faults.note(self._plugin, WHERE, error.problem, code=error.code, fix=error.fix)
            return own
        except PluginError:
            return own
        if not within:
            quota.give_back(caller)
        return verdict

    async def close(self) -> None:
        self._counts.close()


def counting_together(chosen: str, offered: Iterable[tuple[str, Any]], faults: Faults) -> Together | None:
    """Return what counts, of the plugin that is `chosen`, or None where none is. Raises ConfigError."""
    if not chosen:
        return None
    makers = dict(offered)
    if chosen not in makers:
        able = ", ".join(f'"{name}"' for name in makers) or "none"
        raise ConfigError(f'[http.limits] shared: no plugin "{chosen}" counts for several daemons; these do: {able}')
    return Together(chosen, makers[chosen](), faults)
