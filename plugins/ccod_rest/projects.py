"""/api/projects"""

from __future__ import annotations

from typing import Literal

from quart import Blueprint, Response

from ccod import Observatory, ProjectQuery
from ccod_http.web import NoParameters, Paging, Problem, ok, project_json, query, require_reader


class ProjectParameters(Paging):
    sort: Literal["updatedAt", "createdAt", "name", "lastActivity", "conversationCount"] = "updatedAt"
    order: Literal["asc", "desc"] = "desc"


def project_routes(observatory: Observatory) -> Blueprint:
    routes = Blueprint("projects", __name__, url_prefix="/api/projects")
    routes.before_request(require_reader)
    storage = observatory.storage

    @routes.get("")
    async def projects() -> Response:
        wanted = query(ProjectParameters)
        page = await storage.projects(
            ProjectQuery(
                sort=wanted.sort,
                descending=wanted.order == "desc",
                offset=wanted.offset,
                limit=wanted.limit,
            )
        )
        return ok([project_json(project) for project in page.items], wanted.of(page.total))

    @routes.get("/<project_id>")
    async def project(project_id: str) -> Response:
        query(NoParameters)
        found = await storage.project(project_id)
        if found is None:
            raise Problem(404, "NOT_FOUND", "There is no such project.")
        return ok(project_json(found))

    return routes
