"""/api/projects"""

from __future__ import annotations

from typing import Literal

from ccod import Observatory, ProjectQuery
from ccod_http.web import Paged, Paging, Problem, ProjectJson, Routes, project_json


class ProjectParameters(Paging):
    sort: Literal["updatedAt", "createdAt", "name", "lastActivity", "conversationCount"] = "updatedAt"
    order: Literal["asc", "desc"] = "desc"


def project_routes(observatory: Observatory) -> Routes:
    routes = Routes("projects", __name__, url_prefix="/api/projects")
    storage = observatory.storage

    @routes.get("", access="read", stored=True)
    async def projects(query: ProjectParameters) -> Paged[list[ProjectJson]]:
        """List projects."""
        page = await storage.projects(
            ProjectQuery(
                sort=query.sort,
                descending=query.order == "desc",
                offset=query.offset,
                limit=query.limit,
            )
        )
        return query.paged([project_json(project) for project in page.items], page.total)

    @routes.get("/<project_id>", access="read", stored=True, errors=[404])
    async def project(project_id: str) -> ProjectJson:
        """Show one project."""
        found = await storage.project(project_id)
        if found is None:
            raise Problem(404, "NOT_FOUND", "There is no such project.")
        return project_json(found)

    return routes
