"""What a user sees of a storage: the one place that narrows what is asked of it, and notes what is read of others'.

Whoever answers users has the storage through `sighted`. So whatever it asks, now or in years, is asked for the user who
is looking; what is not known here is refused to all who do not see everything.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from ccod.errors import NoMachinesError, UnseenError
from ccod.roles import Storage
from ccod.standin import Method, StandIn
from ccod.stored import Conversation, Project, Read, ResponseRecord
from ccod.users import User

NO_CONVERSATION = "There is no such conversation."
NO_PROJECT = "There is no such project."
NO_STREAM = "There is no such stream."
NO_MACHINES = (
    "No machine is yours, so there is nothing to see; "
    "an administrator gives you yours: ccod user machines EMAIL MACHINE"
)
NOT_HERE = "A project is made on its own machine, and that of this daemon is not yours; use the daemon of yours."


class Look:
    """What one user looks at, by one request or one connection. That a conversation is read is noted once in it."""

    def __init__(self, user: User, address: str, route: str, served_by: str) -> None:
        self.user = user
        self.streams: set[int] = set()
        self._by = (user.id, user.email, user.credential, address, route)
        self.served_by = served_by
        self._noted: set[str] = set()

    def lacks(self, conversation_id: str, machine: str | None) -> bool:
        """Tell whether it is to be noted first that a conversation is read."""
        return not self.user.owns(machine) and conversation_id not in self._noted

    async def note(self, storage: Storage, machines: Mapping[str, str | None]) -> None:
        """Note that conversations are read, which are given with their machines: all that are not the user's own.

        Raises what the storage raises: nothing of them is to be shown then.
        """
        new = [(key, machine or "") for key, machine in machines.items() if self.lacks(key, machine)]
        if new:
            now = time.time_ns() // 1_000_000
            await storage.note_reads([Read(now, *self._by, *each, self.served_by) for each in new])
            self._noted.update(key for key, _ in new)


def sighted(storage: Storage, machine: str, current: Callable[[], Look | None]) -> Storage:
    """Return a storage as it is seen by who looks at the moment; where nobody does, it is the daemon, and all is seen.

    `machine` is that of this daemon. Beside what the storage raises there is UnseenError, as for what is not there, and
    NoMachinesError.
    """
    return cast(Storage, _Sighted(storage, machine, current))


class _Sighted(StandIn):
    def __init__(self, storage: Storage, machine: str, current: Callable[[], Look | None]) -> None:
        super().__init__(storage)
        self._machine = machine
        self._current = current

    def _around(self, name: str, method: Method) -> Method:
        if name in OPEN:
            return method
        guard: Guard = GUARDS.get(name, _refused)

        async def seen(*values: Any, **named: Any) -> Any:
            look = self._current()
            if look is None or (look.user.machines is None and look.user.own is None):
                return await method(*values, **named)
            if look.user.machines is not None and not look.user.machines:
                raise NoMachinesError(NO_MACHINES)
            return await guard(self, look, method, *values, **named)

        return seen

    async def conversations_of(self, look: Look, ids: Sequence[str]) -> Mapping[str, Conversation]:
        """Return those conversations that are seen, by their ids."""
        found = await self._storage.conversations_by_id(ids)
        return {each.id: each for each in found if look.user.sees(each.machine)}

    async def require_project(self, look: Look, project_id: str) -> Project:
        found = await self._storage.project(project_id)
        if found is None or not look.user.sees(found.machine):
            raise UnseenError(NO_PROJECT)
        return found

    async def require(self, look: Look, conversation_id: str) -> Conversation:
        found = await self.conversations_of(look, [conversation_id])
        if not found:
            raise UnseenError(NO_CONVERSATION)
        return found[conversation_id]

    async def note(self, look: Look, ids: Sequence[str]) -> None:
        """Note that these conversations are read."""
        if look.user.own is not None:
            found = await self._storage.conversations_by_id(ids)
            await look.note(self._storage, {each.id: each.machine for each in found})

    @property
    def machine(self) -> str:
        return self._machine


Guard = Callable[..., Awaitable[Any]]


async def _refused(_: _Sighted, look: Look, method: Method, *values: Any, **named: Any) -> Any:
    """Let only those through who see everything: nobody knows what this tells."""
    if look.user.machines is not None:
        raise UnseenError("This is only for who sees everything.")
    return await method(*values, **named)


def _narrowed(look: Look, query: Any) -> Any:
    machines = look.user.machines
    if machines is None:
        return query
    return msgspec.structs.replace(query, machines=machines if query.machines is None else machines & query.machines)


async def _listed(_: _Sighted, look: Look, method: Method, query: Any) -> Any:
    return await method(_narrowed(look, query))


async def _found(here: _Sighted, look: Look, method: Method, query: Any) -> Any:
    found = await method(_narrowed(look, query))
    await here.note(look, sorted({hit.message.conversation_id for hit in found.hits}))
    return found


async def _told(here: _Sighted, look: Look, method: Method, query: Any) -> Any:
    found = await method(_narrowed(look, query))
    await here.note(look, sorted({event.conversation_id for event in found if event.message is not None}))
    return found


async def _summed(_: _Sighted, look: Look, method: Method, machines: frozenset[str] | None = None) -> Any:
    own = look.user.machines
    wanted = machines if own is None else own if machines is None else machines & own
    return await method() if wanted is None else await method(wanted)


async def _about(here: _Sighted, look: Look, method: Method, conversation_id: str, *values: Any) -> Any:
    """Ask for what is known of a conversation, or for its end."""
    await here.require(look, conversation_id)
    return await method(conversation_id, *values)


async def _read(here: _Sighted, look: Look, method: Method, conversation_id: str, *values: Any) -> Any:
    """Ask for what is said in a conversation."""
    conversation = await here.require(look, conversation_id)
    await look.note(here._storage, {conversation.id: conversation.machine})
    return await method(conversation_id, *values)


async def _streams(here: _Sighted, look: Look, method: Method, conversation_id: str) -> Any:
    found = await _read(here, look, method, conversation_id)
    look.streams.update(stream.id for stream in found)
    return found


async def _of_stream(_: _Sighted, look: Look, method: Method, stream_id: int, *values: Any) -> Any:
    """Ask for bytes of a stream, which this look was shown before."""
    if stream_id not in look.streams:
        raise UnseenError(NO_STREAM)
    return await method(stream_id, *values)


async def _responses(here: _Sighted, look: Look, method: Method, conversation_id: str) -> Any:
    """Where a response is counted in a conversation that is not seen, nobody hears in which."""
    found: Sequence[ResponseRecord] = await _about(here, look, method, conversation_id)
    seen = await here.conversations_of(look, sorted({record.owner for record in found}))
    return [record if record.owner in seen else msgspec.structs.replace(record, owner="") for record in found]


async def _by_id(here: _Sighted, look: Look, _: Method, ids: Sequence[str]) -> Any:
    return [*(await here.conversations_of(look, ids)).values()]


async def _project(_: _Sighted, look: Look, method: Method, project_id: str) -> Any:
    found = await method(project_id)
    return found if found is not None and look.user.sees(found.machine) else None


async def _of_project(here: _Sighted, look: Look, method: Method, project_id: str, *values: Any) -> Any:
    await here.require_project(look, project_id)
    return await method(project_id, *values)


async def _new_project(here: _Sighted, look: Look, method: Method, draft: Any) -> Any:
    if not look.user.sees(here.machine):
        raise UnseenError(NOT_HERE)
    return await method(draft)


async def _checkpoints(here: _Sighted, look: Look, method: Method, source: str) -> Any:
    """The streams that this machine reads are for who sees it."""
    return await method(source) if look.user.sees(here.machine) else []


OPEN = frozenset({"append", "called", "keep", "kept", "maintain", "note_reads", "position", "vacuum"})
"""What tells nothing of any conversation, or is asked by no user."""
GUARDS: Mapping[str, Guard] = {
    **dict.fromkeys(("projects", "conversations", "stretches", "overview", "usage", "sessions", "quarantine"), _listed),
    **dict.fromkeys(("figured", "record_types", "facts"), _summed),
    **dict.fromkeys(("activity", "total_usage", "forget_conversation"), _about),
    **dict.fromkeys(("messages", "entries", "nodes", "tool_calls", "subagents"), _read),
    **dict.fromkeys(("bytes_of", "repeats"), _of_stream),
    **dict.fromkeys(("edit_project", "forget_project"), _of_project),
    "checkpoints": _checkpoints,
    "conversations_by_id": _by_id,
    "create_project": _new_project,
    "events": _told,
    "noted_reads": _refused,
    "project": _project,
    "reparse": _refused,
    "responses": _responses,
    "search": _found,
    "streams": _streams,
}
