"""The public module of the REST routes: fields of a plugin's own in the analytics of a conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from msgspec import Struct

from ccod import Conversation

S = TypeVar("S", bound=Struct)


class AnalyticsFields(Generic[S]):
    """What a plugin adds to the analytics of each conversation: a struct of type `shape`, which `measure` returns.

    It must follow from the conversation and what the storage holds, and not from the time, for an answer is given again
    while nothing is stored. Where `measure` raises, returns something else or takes longer than a second, the plugin's
    fields are null in that answer, and the log names it.
    """

    def __init__(self, shape: type[S], measure: Callable[[Conversation], Awaitable[S]]) -> None:
        self.shape = shape
        self.measure = measure
