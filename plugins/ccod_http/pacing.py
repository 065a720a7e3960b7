"""Nobody asks more often than the others can bear."""

from __future__ import annotations

from http import HTTPStatus

from msgspec import Struct, structs
from quart import Quart, Response, g

from ccod_http.callers import client_address
from ccod_http.identity import caller, current_user
from ccod_http.problems import Problem
from ccod_http.quota import Quota, Verdict, seconds
from ccod_http.routes import Pace
from ccod_http.settings import LimitSettings
from ccod_http.table import Table
from ccod_http.together import Together


class Paced(Struct, frozen=True):
    """The pace that a request was held to, and what came of it."""

    pace: Pace
    quota: Quota
    verdict: Verdict


class Pacer:
    """Counts requests by account or, for strangers, by local user or address, so that none uses up what is another's.

    On the Unix socket nobody counts: it is the owner's own. Headers are those of the IETF's
    draft-ietf-httpapi-ratelimit-headers-10.
    """

    def __init__(self, settings: LimitSettings, table: Table, together: Together | None = None) -> None:
        """Where several daemons count `together`, a request must be within its quota here and there."""
        self._table = table
        self._together = together
        self._settings = settings
        self._made_from = structs.replace(settings)
        self._quotas = _quotas(settings)

    def install(self, app: Quart) -> None:
        app.before_request(self.count)
        app.before_websocket(self.count)
        app.after_request(self.tell)

    async def count(self) -> None:
        route = self._table.route()
        pace = route.pace if route else "read"
        who = _who()
        if self._settings != self._made_from:  # the daemon read its settings again
            self._made_from = structs.replace(self._settings)
            self._quotas = _quotas(self._settings)
        quota = self._quotas.get(pace)
        if who is None or quota is None:
            return
        verdict = quota.take(who)
        if verdict.within and self._together is not None:
            verdict = await self._together.take(pace, quota, who, verdict)
        g.paced = paced = Paced(pace, quota, verdict)
        if not paced.verdict.within:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "RATE_LIMIT_EXCEEDED",
                f"More than {quota.most} requests in {quota.window:g} seconds; try again in "
                f"{seconds(paced.verdict.next_in)} s. See [http.limits].",
            )

    async def tell(self, response: Response) -> Response:
        paced: Paced | None = g.get("paced")
        if paced is not None:
            quota, verdict = paced.quota, paced.verdict
            name = f'"{paced.pace}"'
            response.headers["RateLimit-Policy"] = f"{name};q={quota.most};w={seconds(quota.window)}"
            response.headers["RateLimit"] = f"{name};r={verdict.remaining};t={seconds(verdict.full_in)}"
            if not verdict.within:
                response.headers["Retry-After"] = str(max(1, seconds(verdict.next_in)))
        return response


def _quotas(settings: LimitSettings) -> dict[Pace, Quota]:
    """Return the quota of each pace; callers begin anew with it."""
    if not settings.window:
        return {}
    return {
        "read": Quota(settings.max, settings.window),
        "write": Quota(min(settings.writes, settings.max), settings.window),
        "strict": Quota(min(settings.strict, settings.max), settings.window),
    }


def _who() -> str | None:
    if client_address() is None:
        return None
    user = current_user()
    return caller() if user is None else f"account {user.id}"
