"""/openapi.json and /docs: what there is, for programs and for people.

Both are public. They hold no data, and say no more than the source does, but for the routes of third parties.
"""

from __future__ import annotations

from functools import cache

from quart import Response

from ccod_http.encoding import encode
from ccod_http.openapi import document
from ccod_http.page import POLICY, page
from ccod_http.routes import Routes
from ccod_http.table import Table


def documentation_routes(table: Table, scheme: str) -> Routes:
    routes = Routes("documentation", __name__)

    @cache
    def written() -> bytes:
        return encode(document(table.rows, scheme))

    @cache
    def shown() -> str:
        return page(document(table.rows, scheme))

    @routes.get("/openapi.json", access="public", media=["application/json"], tag="documentation")
    async def openapi() -> Response:
        """Describe every route, as OpenAPI 3.1."""
        return Response(written(), content_type="application/json")

    @routes.get("/docs", access="public", media=["text/html"], tag="documentation")
    async def docs() -> Response:
        """Show the same as a page, which loads nothing and runs nothing."""
        return Response(shown(), content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY})

    return routes
