"""/livez"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ccod_http.web import Routes


class AliveJson(Struct):
    status: Literal["alive"]


def liveness_routes() -> Routes:
    routes = Routes("liveness", __name__)

    @routes.get("/livez", access="public", pace="any", unasked=True, tag="health", example=AliveJson("alive"))
    async def livez() -> AliveJson:
        """Tell that the process turns its event loop. It looks at nothing: what else may be wrong, /health tells."""
        return AliveJson("alive")

    return routes
