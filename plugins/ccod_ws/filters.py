"""Which of the events on a channel a client wants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

MOST = 50
"""Ids or types that one filter may name."""


EVERYBODY = ""
"""Stands for the machine of what is of none, such as that the daemon stops."""


class Topic(NamedTuple):
    """What an event is about. Where nobody knows of which `machine` it is, only those who see all of them hear it."""

    channel: str
    event: str
    conversation_id: str | None = None
    project_id: str | None = None
    machine: str | None = None


class Filter(Struct, frozen=True):
    """Passes what is about one of these projects, conversations and types; an empty set passes all."""

    projects: frozenset[str] = frozenset()
    conversations: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()

    def passes(self, topic: Topic) -> bool:
        return (
            (not self.types or topic.event in self.types)
            and (not self.conversations or topic.conversation_id in self.conversations)
            and (not self.projects or topic.project_id in self.projects)
        )


class FilterError(Exception):
    """A filter that no event could pass, or that is too long."""


def make_filter(
    about: Iterable[str], known: Iterable[str], projects: list[str], conversations: list[str], types: list[str]
) -> Filter:
    """Return a filter, or raise FilterError: `about` are the ids that events can be chosen by, `known` their types."""
    for name, values in (("projectId", projects), ("conversationId", conversations), ("types", types)):
        if len(values) > MOST:
            raise FilterError(f"{name} names more than {MOST}")
        if name != "types" and values and name not in about:
            raise FilterError(f"events on this channel have no {name}")
    unknown = set(types).difference(known)
    if unknown:
        raise FilterError(f"types are: {', '.join(sorted(known))}")
    return Filter(frozenset(projects), frozenset(conversations), frozenset(types))
