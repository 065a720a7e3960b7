"""/api/projects"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from ccod import Observatory, ProjectDraft, ProjectEdit, ProjectQuery
from ccod_http.web import Body, Listing, Paged, Problem, ProjectJson, Routes, project_json
from ccod_rest.examples import PROJECT

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Description = Annotated[str, Meta(max_length=10_000)]
Path = Annotated[str, Meta(min_length=1, max_length=4096, pattern=r"^(/|[A-Za-z]:[/\\]|\\\\)[^\x00-\x1f]*\Z")]


class ProjectParameters(Listing):
    sort: Annotated[
        Literal["updatedAt", "createdAt", "name", "lastActivity", "conversationCount"],
        Meta(description="By what they are sorted."),
    ] = "updatedAt"
    order: Annotated[Literal["asc", "desc"], Meta(description="`desc`: the last or the most first.")] = "desc"
    name: Annotated[Annotated[str, Meta(min_length=1)] | None, Meta(description="Only those that are called so.")] = (
        None
    )


class NewProjectBody(Body):
    """`claudePath` is the absolute path of the working directory whose conversations belong to the project."""

    claude_path: Path
    name: Name | None = None
    description: Description = ""
    settings: dict[str, Any] = field(default_factory=dict)


class ProjectBody(Body):
    """What is left out, or null, stays as it is."""

    name: Name | None = None
    description: Description | None = None
    settings: dict[str, Any] | None = None


def project_routes(observatory: Observatory) -> Routes:
    routes = Routes("projects", __name__, url_prefix="/api/projects")
    storage = observatory.storage

    @routes.get("", access="read", stored=True, example=[PROJECT])
    async def projects(query: ProjectParameters) -> Paged[list[ProjectJson]]:
        """List projects."""
        page = await storage.projects(
            ProjectQuery(
                name=query.name,
                sort=query.sort,
                descending=query.order == "desc",
                offset=query.offset,
                limit=query.limit,
                after=query.after,
            )
        )
        return query.listed([project_json(project) for project in page.items], page.total, page.next)

    @routes.get("/<project_id>", access="read", stored=True, errors=[404], example=PROJECT)
    async def project(project_id: str) -> ProjectJson:
        """Show one project."""
        return await _shown(project_id)

    @routes.post("", access="write", status=201, errors=[404, 409])
    async def create(body: NewProjectBody) -> ProjectJson:
        """Make a project, which conversations in its directory join when they come."""
        draft = ProjectDraft(body.claude_path, body.name, body.description, body.settings)
        stored = await observatory.change(partial(storage.create_project, draft))
        if stored is None:
            raise Problem(409, "RESOURCE_ALREADY_EXISTS", "There is a project with that claudePath; edit it with PUT.")
        return await _shown(stored.projects[0])

    @routes.put("/<project_id>", access="write", errors=[404])
    async def edit(project_id: str, body: ProjectBody) -> ProjectJson:
        """Change the name, description or settings of a project."""
        edit = ProjectEdit(body.name, body.description, body.settings)
        if await observatory.change(partial(storage.edit_project, project_id, edit)) is None:
            raise Problem(404, "NOT_FOUND", "There is no such project.")
        return await _shown(project_id)

    async def _shown(project_id: str) -> ProjectJson:
        found = await storage.project(project_id)
        if found is None:
            raise Problem(404, "NOT_FOUND", "There is no such project.")
        return project_json(found)

    return routes
