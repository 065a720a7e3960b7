"""A conversation as a file, written a portion at a time: the whole of it never stands in memory.

Its subagents follow it, each by itself, but where its lines are given: those of several files are not one transcript.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Container, Iterator, Sequence
from typing import Any, Protocol

import trio

from ccod import Content, Conversation, Message, MessageQuery, Observatory, Storage, StoredStream, Subagent
from ccod_http.web import conversation_json, encode, message_json
from ccod_rest.choosing import Chosen
from ccod_rest.subagents import subagent_json

MESSAGES_AT_ONCE = 25


class Form(Protocol):
    """How a conversation is written: what stands before, for each message, around each subagent, and after."""

    def head(self, conversation: Conversation) -> str: ...

    def message(self, message: Message, content: Content) -> str: ...

    def begin(self, subagent: Subagent) -> str: ...

    def end(self) -> str: ...

    def tail(self) -> str: ...


async def written(observatory: Observatory, chosen: Chosen, form: Form, *, reveal: bool) -> AsyncIterator[bytes]:
    """Yield what was chosen as `form` writes it."""

    def write(messages: Sequence[Message]) -> bytes:
        parts = (form.message(message, observatory.content(message, reveal=reveal)) for message in messages)
        return "".join(parts).encode(errors="replace")

    yield form.head(chosen.conversation).encode(errors="replace")
    if chosen.whole:
        async for messages in _messages(observatory, chosen.conversation.id):
            yield await trio.to_thread.run_sync(write, messages)
    for subagent in chosen.subagents:
        yield form.begin(subagent).encode(errors="replace")
        async for messages in _messages(observatory, chosen.conversation.id, subagent.id):
            yield await trio.to_thread.run_sync(write, messages)
        yield form.end().encode()
    yield form.tail().encode()


async def as_json(observatory: Observatory, chosen: Chosen, *, reveal: bool) -> AsyncIterator[bytes]:
    """Yield one object: the conversation, its messages and its subagents with theirs, as the other routes show them."""

    def write(messages: Sequence[Message]) -> bytes:
        shown = (message_json(message, observatory.content(message, reveal=reveal)) for message in messages)
        return b",\n".join(map(encode, shown))

    async def listed(agent: str | None) -> AsyncIterator[bytes]:
        lead = b""
        yield b',"messages":[\n'
        async for messages in _messages(observatory, chosen.conversation.id, agent):
            yield lead + await trio.to_thread.run_sync(write, messages)
            lead = b",\n"
        yield b"]"

    shown = conversation_json(chosen.conversation, observatory.redactor)
    yield b'{"schemaVersion":1,"conversation":' + encode(shown)
    if chosen.whole:
        async for part in listed(None):
            yield part
    yield b',"subagents":['
    for number, subagent in enumerate(chosen.subagents):
        about = encode(subagent_json(subagent, observatory.redactor))
        yield (b",\n" if number else b"\n") + about.removesuffix(b"}")
        async for part in listed(subagent.id):
            yield part
        yield b"}"
    yield b"]}\n"


async def as_lines(observatory: Observatory, chosen: Chosen, *, reveal: bool) -> AsyncIterator[bytes]:
    """Yield the lines of one transcript, those that a rewritten file repeats once.

    One that holds a secret is written anew, every other as it was read.
    """
    storage = observatory.storage
    mask = observatory.redactor.mask_all
    agent = None if chosen.whole else chosen.subagents[0].id
    its_streams = [each for each in await storage.streams(chosen.conversation.id) if each.kind == "transcript"]
    for number, stream in enumerate(each for each in its_streams if each.agent == agent):
        repeats = set(await storage.repeats(stream.id)) if number else set()
        async for lines in _lines(storage, stream, repeats):
            yield b"".join(lines) if reveal else await trio.to_thread.run_sync(_masked, lines, mask)


async def _lines(
    storage: Storage, stream: StoredStream, repeats: Container[tuple[int, int]]
) -> AsyncIterator[Sequence[bytes]]:
    """Yield the lines of a stream, some at a time, without those of which an entry in `repeats` is all there is."""
    position = start = 0
    rest = b""
    while portion := await storage.bytes_of(stream.id, position):
        position += len(portion)
        *lines, rest = _split(rest + portion)
        kept = []
        for line in lines:
            entry = start + len(line) - len(line.lstrip()), len(line.strip())
            if entry not in repeats:
                kept.append(line)
            start += len(line)
        yield kept
    if rest:
        yield [rest]


async def _messages(
    observatory: Observatory, conversation_id: str, agent: str | None = None
) -> AsyncIterator[Sequence[Message]]:
    offset = 0
    while True:
        wanted = MessageQuery(agent=agent, offset=offset, limit=MESSAGES_AT_ONCE)
        page = await observatory.storage.messages(conversation_id, wanted)
        if page.items:
            yield page.items
        offset += MESSAGES_AT_ONCE
        if offset >= page.total:
            return


def _split(data: bytes) -> Iterator[bytes]:
    """Yield lines with their ends, and last what follows the last line end."""
    *lines, rest = data.split(b"\n")
    yield from (line + b"\n" for line in lines)
    yield rest


def _masked(lines: Sequence[bytes], mask: Callable[[Any], Any]) -> bytes:
    return b"".join(_masked_line(line, mask) for line in lines)


def _masked_line(line: bytes, mask: Callable[[Any], Any]) -> bytes:
    text = line.decode(errors="surrogateescape")
    try:
        said = json.loads(text)
        shown = mask(said)
        if shown == said:
            return line
        return json.dumps(shown, separators=(",", ":")).encode() + line[len(line.rstrip()) :]
    except (ValueError, RecursionError):
        return str(mask(text)).encode(errors="surrogateescape")
