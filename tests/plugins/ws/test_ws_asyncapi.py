"""The AsyncAPI document says what the hub says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccod import PluginError
from ccod_ws.asyncapi import describe
from ccod_ws.channels import gathered
from ccod_ws.own import own_channels
from tests.plugins.ws.house import added, conversation, open_house
from tests.plugins.ws.test_ws_sse import ask

DOCUMENT: dict[str, Any] = msgspec.json.decode(describe({channel.name: channel for channel in own_channels()}))


def found(ref: str) -> Any:
    """Follow a reference within the document."""
    place: Any = DOCUMENT
    for name in ref.removeprefix("#/").split("/"):
        place = place[name]
    return place


def refs(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(refs, value.values()))
    return set().union(*map(refs, value)) if isinstance(value, list) else set()


def fits(value: Any, schema: Any) -> bool:
    """Check what the schemas of the hub's messages use of JSON Schema."""
    if "$ref" in schema:
        return fits(value, found(schema["$ref"]))
    if "anyOf" in schema:
        return any(fits(value, each) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    if schema.get("type") == "object":
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", {})
        return (
            isinstance(value, dict)
            and set(schema.get("required", ())) <= value.keys()
            and all(fits(each, known.get(name, others)) for name, each in value.items() if known.get(name, others))
        )
    if schema.get("type") == "array":
        return all(fits(each, schema["items"]) for each in value)
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
    }
    return "type" not in schema or isinstance(value, kinds[schema["type"]])


def test_every_reference_leads_somewhere() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    every = refs(DOCUMENT)
    assert len(every) > 30
    assert all(found(ref) for ref in every)


def test_every_message_is_sent_or_received() -> None:
    told = [ref for operation in DOCUMENT["operations"].values() for ref in refs(operation["messages"])]
    names = {ref.rpartition("/")[2] for ref in told}
    assert names == set(DOCUMENT["components"]["messages"])
    assert {"welcome", "lagged", "conversations.message_added", "files.unlink", "client.subscribe"} <= names


async def test_what_is_said_is_as_it_is_described() -> None:
    async with open_house() as house, house.client() as client:
        house.storage.kept_conversations["c1"] = conversation("c1")
        heard = [await client.hear()]
        for message in ({"channel": "conversations", "since": 0}, {"channel": "nonsense"}, {"channel": 1}):
            await client.say(type="subscribe", **message)
        await client.say(type="ping")
        house.store(added(1), conversations=["c1"])
        while not {"error", "live", "pong", "broadcast"} <= {one["type"] for one in heard}:
            heard.append(await client.hear())
        assert (await ask(house, "/asyncapi.json")).json()["channels"].keys() == {"hub"}
    messages = DOCUMENT["components"]["messages"]
    for one in heard:
        name = f"{one['channel']}.{one['data']['event']}" if one["type"] == "broadcast" else one["type"]
        assert fits(one, messages[name]["payload"]), one
        assert not fits({key: value for key, value in one.items() if key != "timestamp"}, messages[name]["payload"])


@pytest.mark.parametrize("answer", [7, [7], ["weather"]])
def test_a_channel_that_is_none_bears_its_plugin_s_name(answer: Any) -> None:
    blamed: list[tuple[str, PluginError]] = []
    found = gathered(own_channels(), [("bad", answer)], lambda hook, error: blamed.append((hook, error)))
    assert found.keys() == {channel.name for channel in own_channels()}
    ((hook, error),) = blamed
    assert (hook, error.plugin) == ("ccod_ws_channels", "bad")
    assert "must answer with channels" in str(error)
