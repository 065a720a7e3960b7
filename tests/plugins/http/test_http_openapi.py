"""The document says what the routes declare, and the page shows it without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from ccod import Faults
from ccod_http.web import Body, Moment, Paged, Paging, Routes
from ccod_rest.conversations import conversation_routes
from ccod_rest.extras import Extras
from ccod_rest.health import health_routes
from ccod_rest.projects import project_routes
from ccod_rest.usage import usage_routes
from tests.plugins.http.serving import Server, serving


class PlantParameters(Paging):
    colour: Annotated[Literal["red", "white"] | None, Meta(description="Only <b>these</b>.")] = None
    since: Moment | None = None
    most: Annotated[int, Meta(ge=1, le=9)] = 3


class PlantBody(Body):
    name: Annotated[str, Meta(max_length=20)]


class Plant(Struct, rename="camel"):
    """A plant & its <name>."""

    plant_name: str
    colour: str | None


class Failure(Struct):
    """Bears the name of a type of the server's own."""

    plant: Plant


def plants() -> Routes:
    routes = Routes("plants", __name__, url_prefix="/api/plants")

    @routes.get("", access="read", example=[Plant("rose", None)])
    async def listed(query: PlantParameters) -> Paged[list[Plant]]:
        """List <i>plants</i>.

        All of them.
        """
        return query.paged([], 0)

    @routes.put("/<int:plant_id>", access="write", errors=[404, 409], status=201)
    async def planted(plant_id: int, body: PlantBody) -> Plant:
        """Plant one."""
        return Plant(body.name, None)

    @routes.get("/failures", access="public")
    async def failed() -> Failure:
        """Tell what did not grow."""
        return Failure(Plant("rose", None))

    @routes.delete("/<plant_id>", access="admin", tag="weeding")
    async def weeded(plant_id: str) -> None:
        """Pull one out."""

    return routes


@pytest.fixture
async def document() -> dict[str, Any]:
    async with serving(plants()) as server, server.client() as client:
        answer = await client.get("/openapi.json")
        assert answer.headers["Content-Type"] == "application/json"
        found: dict[str, Any] = answer.json()
        return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


async def test_a_list_is_described(document: dict[str, Any]) -> None:
    listed = document["paths"]["/api/plants"]["get"]
    assert (listed["summary"], listed["description"]) == ("List <i>plants</i>.", "All of them.")
    assert listed["tags"] == ["plants"]
    assert listed["security"] == [{}, {"bearer": ["read"]}]
    parameters = {each["name"]: each for each in listed["parameters"]}
    assert list(parameters) == ["page", "limit", "colour", "since", "most"]
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert parameters["colour"]["schema"] == {"enum": ["red", "white"]}
    assert parameters["colour"]["description"] == "Only <b>these</b>."
    assert {"format": "date-time"} in parameters["since"]["schema"]["anyOf"]
    content = listed["responses"]["200"]["content"]["application/json"]
    assert content["schema"]["required"] == ["success", "data", "pagination"]
    assert content["schema"]["properties"]["data"]["items"] == {"$ref": "#/components/schemas/Plant"}
    assert content["example"]["data"] == [{"plantName": "rose", "colour": None}]
    assert content["example"]["pagination"]["total"] == 1


async def test_a_change_is_described(document: dict[str, Any]) -> None:
    planted = document["paths"]["/api/plants/{plant_id}"]["put"]
    assert planted["security"] == [{"bearer": ["write"]}]
    assert planted["parameters"][0]["schema"] == {"type": "integer", "minimum": 0}
    body = planted["requestBody"]
    assert (body["required"], list(body["content"])) == (True, ["application/json"])
    assert document["components"]["schemas"]["PlantBody"]["additionalProperties"] is False
    statuses = "201 400 401 403 404 408 409 413 414 415 421 422 429 431 500 503"
    assert sorted(planted["responses"]) == statuses.split()
    weeded = document["paths"]["/api/plants/{plant_id}"]["delete"]
    assert weeded["tags"] == ["weeding"]
    assert weeded["responses"]["204"] == {"description": "No Content"}
    assert "422" not in weeded["responses"]


async def test_the_document_is_whole(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    for reference in references(document):
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    tags = {tag["name"] for tag in document["tags"]}
    assert all(set(operation["tags"]) <= tags for operation in operations)
    reference = document["components"]["responses"]["500"]["content"]["application/problem+json"]["schema"]["$ref"]
    failure = document["components"]["schemas"][reference.rpartition("/")[2]]
    assert failure["properties"]["success"] == {"enum": [False], "default": False}
    assert set(failure["required"]) >= {"success", "error", "timestamp", "requestId"}


async def test_every_route_of_ours_has_a_summary(server: Server) -> None:
    async with server.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    for path, item in paths.items():
        if path.startswith(("/api", "/auth", "/health", "/docs", "/openapi", "/ws")):
            assert all(operation["summary"].endswith(".") for operation in item.values()), path


def usages(observatory: Any) -> Routes:
    return usage_routes(observatory, Extras({}, Faults([])))


@pytest.mark.parametrize("routes", [project_routes, conversation_routes, usages, health_routes])
def test_an_example_is_what_the_route_answers(routes: Any) -> None:
    class Nothing:
        storage = redactor = health = None

    declared = routes(Nothing()).declared.values()
    examples = [route for route in declared if route.example is not None]
    assert examples
    for route in examples:
        written = msgspec.json.encode(route.example)
        assert msgspec.json.encode(msgspec.json.decode(written, type=route.data)) == written


async def test_the_page_shows_all_and_needs_nothing(document: dict[str, Any]) -> None:
    async with serving(plants()) as server, server.client() as client:
        answer = await client.get("/docs")
    page = answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for path in document["paths"]:
        assert path in page
    for anchor in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{anchor}"' in page, anchor
    for forbidden in ("<script", "<b>", "<i>", "<name>", " src=", "url(", "@import", "http://", "https://", " style="):
        assert forbidden not in page
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "frame-ancestors 'none'" in policy


async def test_the_word_null_is_no_value(server: Server) -> None:
    async with server.client() as client:
        for name in ("status", "state"):
            answer = await client.get(f"/api/conversations?{name}=null")
            assert (answer.status_code, answer.json()["error"]["details"][0]["parameter"]) == (400, name)
