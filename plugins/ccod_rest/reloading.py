"""/api/reload: reads the settings again, as SIGHUP does."""

from __future__ import annotations

from msgspec import Struct

from ccod import CcodError, Observatory
from ccod_http.web import Problem, Routes


class ReloadedJson(Struct):
    """Names of settings that changed: those that hold now, and those that hold after a restart."""

    applied: list[str]
    restart: list[str]


def reload_routes(observatory: Observatory) -> Routes:
    routes = Routes("reloading", __name__, url_prefix="/api")

    @routes.post("/reload", access="admin", errors=[409])
    async def reload() -> ReloadedJson:
        """Read the settings again, and apply what can be applied."""
        try:
            reloaded = await observatory.reload()
        except CcodError as error:
            raise Problem(409, "SETTINGS_WRONG", str(error)) from error
        return ReloadedJson(reloaded.applied, reloaded.restart)

    return routes
