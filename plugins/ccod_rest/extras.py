"""Asks plugins what they add to the analytics of a conversation. Who fails has no fields; the others have theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
import trio
from msgspec import Struct

from ccod import CcodError, Conversation, Faults, Observatory, PluginError, Settings
from ccod_http.web import keep_no_answer
from ccod_rest.fields import AnalyticsFields

LIMIT_SECONDS = 1.0

log = structlog.get_logger("ccod.rest")


class Extras:
    """The fields of plugins. `shape` is the type of what `of` returns: a struct with a field for each plugin."""

    def __init__(self, fields: Mapping[str, AnalyticsFields[Any]], faults: Faults) -> None:
        self._fields = dict(fields)
        self._faults = faults
        keys = {f"plugin{number}": name for number, name in enumerate(self._fields)}
        self.shape: type[Struct] = msgspec.defstruct(
            "PluginFieldsJson",
            [(key, self._fields[name].shape | None, None) for key, name in keys.items()],
            frozen=True,
            rename=keys,
        )
        self._keys = keys

    async def of(self, conversation: Conversation) -> Struct:
        """Return what each plugin says of a conversation, None for who fails or takes too long."""
        found: dict[str, Struct | None] = {}

        async def look(key: str, plugin: str) -> None:
            found[key] = await self._measured(plugin, conversation)

        async with trio.open_nursery() as nursery:
            for key, plugin in self._keys.items():
                nursery.start_soon(look, key, plugin)
        if None in found.values():
            keep_no_answer()
        return self.shape(**found)

    async def _measured(self, plugin: str, conversation: Conversation) -> Struct | None:
        fields = self._fields[plugin]
        try:
            with self._faults.noting(plugin, "analytics"), trio.fail_after(LIMIT_SECONDS):
                measured: Struct = msgspec.convert(
                    msgspec.to_builtins(await fields.measure(conversation)), fields.shape
                )
        except CcodError as error:
            cause = error.__cause__ or error
            log.error("analytics_failed", plugin=plugin, error=f"{type(cause).__name__}: {cause}")
            return None
        return measured


def gathered(settings: Settings, observatory: Observatory) -> Extras:
    """Ask every plugin once for its fields. One whose answer is something else has none, and is to blame."""
    fields: dict[str, AnalyticsFields[Any]] = {}
    for plugin, answer in observatory.ask("ccod_rest_analytics", settings=settings, observatory=observatory):
        try:
            fields[plugin] = _fields(plugin, answer)
        except PluginError as error:
            observatory.faults.blame("ccod_rest_analytics", error)
    return Extras(fields, observatory.faults)


def _fields(plugin: str, answer: object) -> AnalyticsFields[Any]:
    if not isinstance(answer, AnalyticsFields):
        raise PluginError(plugin, f"ccod_rest_analytics must answer with AnalyticsFields, not {type(answer).__name__}")
    try:
        msgspec.json.schema(answer.shape)
    except TypeError as error:
        raise PluginError(plugin, f"ccod_rest_analytics: {answer.shape!r} cannot be shown: {error}") from error
    return answer
