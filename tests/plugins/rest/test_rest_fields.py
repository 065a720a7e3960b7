"""Fields of plugins in a conversation's analytics: typed, described, and each plugin's failure its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from msgspec import Struct

from ccod import Conversation, Faults, PluginError
from ccod_rest.fields import AnalyticsFields
from tests.plugins.rest.library import library


class Mood(Struct, frozen=True, rename="camel"):
    happy_messages: int


async def happy(conversation: Conversation) -> Mood:
    return Mood(conversation.message_count)


async def angry(conversation: Conversation) -> Mood:
    raise ValueError("no mood")


async def slow(conversation: Conversation) -> Mood:
    await trio.sleep_forever()
    raise AssertionError


async def odd(conversation: Conversation) -> Any:
    return Mood("many")  # type: ignore[arg-type]


async def none(conversation: Conversation) -> Any:
    return None


async def test_each_plugin_has_its_fields_under_its_name(tmp_path: Path) -> None:
    offered = [
        (name, AnalyticsFields(Mood, work))
        for name, work in {"a-mood": happy, "angry": angry, "slow": slow, "odd": odd, "none": none}.items()
    ]
    async with library(tmp_path / "x.db", fields=offered) as house:
        await house.add(house.said("user", "hello"))
        answer = await house.http.get(f"/api/conversations/{house.session}/analytics")
        nothing = {"angry": None, "slow": None, "odd": None, "none": None}
        assert answer.json()["data"]["plugins"] == {"a-mood": {"happyMessages": 1}} | nothing
        assert "ETag" not in answer.headers
        failures = {each["plugin"]: each["error"] for each in house.logs if each["event"] == "analytics_failed"}
        assert failures.keys() == nothing.keys()
        assert failures["angry"] == "ValueError: no mood"
        document = await house.get("/openapi.json")
        schemas = document["components"]["schemas"]
        assert schemas["Mood"]["properties"] == {"happyMessages": {"type": "integer"}}
        assert schemas["PluginFieldsJson"]["properties"].keys() == {"a-mood", *nothing}


async def test_an_answer_in_which_nothing_failed_is_kept(tmp_path: Path) -> None:
    async with library(tmp_path / "x.db", fields=[("mood", AnalyticsFields(Mood, happy))]) as house:
        await house.add(house.said("user", "hello"))
        answer = await house.http.get(f"/api/conversations/{house.session}/analytics")
        assert "ETag" in answer.headers


@pytest.mark.parametrize("answer", [7, AnalyticsFields(complex, happy)])  # type: ignore[type-var, arg-type]
async def test_who_offers_none_is_named(tmp_path: Path, answer: Any) -> None:
    with pytest.RaisesGroup(PluginError, flatten_subgroups=True) as raised:
        async with library(tmp_path / "x.db", fields=[("bad", answer)]):
            pass
    assert "plugin 'bad': ccod_rest_analytics" in str(raised.value.exceptions)


class Oops(BaseException):
    """No Exception, so that no `except Exception` holds it."""


async def outlandish(conversation: Conversation) -> Mood:
    raise Oops


async def test_whatever_a_plugin_raises_the_others_have_their_fields(tmp_path: Path) -> None:
    offered = [("odd", AnalyticsFields(Mood, outlandish)), ("mood", AnalyticsFields(Mood, happy))]
    async with library(tmp_path / "x.db", fields=offered) as house:
        await house.add(house.said("user", "hello"))
        answer = await house.get(f"/api/conversations/{house.session}/analytics")
        assert answer["data"]["plugins"] == {"odd": None, "mood": {"happyMessages": 1}}


async def test_who_of_others_offers_none_leaves_the_rest_served(tmp_path: Path) -> None:
    offered: list[Any] = [("bad", 7), ("mood", AnalyticsFields(Mood, happy))]
    faults = Faults([])
    faults.contain(["rest"])
    async with library(tmp_path / "x.db", fields=offered, faults=faults) as house:
        await house.add(house.said("user", "hello"))
        answer = await house.get(f"/api/conversations/{house.session}/analytics")
        assert answer["data"]["plugins"] == {"mood": {"happyMessages": 1}}
