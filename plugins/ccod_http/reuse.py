"""Answers that are still true are not made again: 304 for who has one, and the cache for who has not."""

from __future__ import annotations

import secrets
from collections.abc import Set
from hashlib import blake2b
from http import HTTPStatus

from quart import Quart, Response, g, request

from ccod import Cache, Storage
from ccod_http.identity import current_user
from ccod_http.table import Table


def keep_no_answer() -> None:
    """Let the answer that is being made be given this once only, though its route is `stored`: a part of it failed."""
    g.tag = None


class Reuse:
    """Knows answers again by a tag: of the storage's revision, of who asks and what they may do, and of the URL.

    The revision is read before the answer is made and after it: an answer during which something was stored has no tag.
    So a tag stands for one answer. It holds for this process: another one may mask, price or parse otherwise.
    """

    def __init__(self, storage: Storage, cache: Cache, table: Table) -> None:
        self._storage = storage
        self._cache = cache
        self._table = table
        self._process = secrets.token_bytes(16)

    def install(self, app: Quart) -> None:
        """To be called when all else stands that decides who may ask: after it an answer may be given at once."""
        app.before_request(self.find)
        app.after_request(self.keep)

    async def find(self) -> Response | None:
        g.tag = tag = self._tag()
        if tag is None:
            return None
        shown = request.if_none_match
        if not shown.star_tag and shown.contains_weak(tag):
            return Response(b"", HTTPStatus.NOT_MODIFIED)
        kept = await self._cache.get(tag)
        if kept is None:
            return None
        g.is_kept = True
        links, _, body = kept.partition(b"\n")
        response = Response(body, content_type="application/json")
        if links:
            response.headers["Link"] = links.decode()
        return response

    async def keep(self, response: Response) -> Response:
        if self._table.bears_secret():
            response.headers["Cache-Control"] = "no-store"
        tag: str | None = g.get("tag")
        is_new = response.status_code == HTTPStatus.OK and not g.get("is_kept")
        if is_new and tag is not None and self._tag() != tag:
            return response
        if tag is not None and response.status_code in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
            response.set_etag(tag, weak=True)
            response.vary.add("Authorization")
            if response.status_code == HTTPStatus.NOT_MODIFIED:
                response.headers.pop("Content-Length", None)  # of the answer that is not sent
            if is_new:
                links = response.headers.get("Link", "").encode()
                await self._cache.put(tag, links + b"\n" + await response.get_data(as_text=False))
        return response

    def _tag(self) -> str | None:
        """Return the tag of the answer that is asked for, None where there is none to be known again.

        What reveals secrets is made each time, because it is logged each time, and kept nowhere; and so is what may
        have to be noted as a read.
        """
        route = self._table.route()
        if route is None or not route.stored or request.method not in {"GET", "HEAD"} or self._table.bears_secret():
            return None
        revision = self._storage.revision
        if revision is None:
            return None
        user = current_user()
        if user is not None and user.own is not None and user.machines != user.own:
            return None
        who = (user.id, user.role, _listed(user.scopes), _listed(user.machines)) if user else None
        known = repr((revision, who, request.scope["raw_path"], request.query_string)).encode()
        return blake2b(known, key=self._process, digest_size=16).hexdigest()


def _listed(words: Set[str] | None) -> list[str] | None:
    return None if words is None else sorted(words)
