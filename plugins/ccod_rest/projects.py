"""/api/projects"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ccod import Observatory, ProjectQuery
from ccod_http.web import Paged, Paging, Problem, ProjectJson, Routes, project_json
from ccod_rest.examples import PROJECT


class ProjectParameters(Paging):
    sort: Annotated[
        Literal["updatedAt", "createdAt", "name", "lastActivity", "conversationCount"],
        Meta(description="By what they are sorted."),
    ] = "updatedAt"
    order: Annotated[Literal["asc", "desc"], Meta(description="`desc`: the last or the most first.")] = "desc"


def project_routes(observatory: Observatory) -> Routes:
    routes = Routes("projects", __name__, url_prefix="/api/projects")
    storage = observatory.storage

    @routes.get("", access="read", stored=True, example=[PROJECT])
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

    @routes.get("/<project_id>", access="read", stored=True, errors=[404], example=PROJECT)
    async def project(project_id: str) -> ProjectJson:
        """Show one project."""
        found = await storage.project(project_id)
        if found is None:
            raise Problem(404, "NOT_FOUND", "There is no such project.")
        return project_json(found)

    return routes
