"""A plugin of the bench: a route that does nothing, and in each answer how long it took within the gates."""

from __future__ import annotations

import time
from collections.abc import Iterable

from quart import Response, g

from ccod import hookimpl
from ccod_http.web import Middleware, Routes


def bench_routes() -> Routes:
    routes = Routes("bench", __name__, url_prefix="/api/bench")

    @routes.get("/empty", access="read")
    async def empty() -> list[str]:
        """Answer with nothing."""
        return []

    return routes


class Timing(Middleware):
    async def before(self) -> None:
        g.bench_began = time.perf_counter()

    async def after(self, response: Response) -> Response:
        if "bench_began" in g:
            response.headers["Server-Timing"] = f"route;dur={1000 * (time.perf_counter() - g.bench_began):.3f}"
        return response


@hookimpl(optionalhook=True)
def ccod_http_blueprints() -> Iterable[Routes]:
    yield bench_routes()


@hookimpl(optionalhook=True)
def ccod_http_middleware() -> Iterable[Middleware]:
    yield Timing()
