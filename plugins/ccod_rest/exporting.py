"""A conversation as a file, written a portion at a time: the whole of it never stands in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Protocol

import trio

from ccod import Content, Conversation, Message, MessageQuery, Observatory
from ccod_http.web import conversation_json, encode, message_json

MESSAGES_AT_ONCE = 25


class Form(Protocol):
    """How a conversation is written: what stands before, for each message, and after."""

    def head(self, conversation: Conversation) -> str: ...

    def message(self, message: Message, content: Content) -> str: ...

    def tail(self) -> str: ...


async def written(
    observatory: Observatory, conversation: Conversation, form: Form, *, reveal: bool
) -> AsyncIterator[bytes]:
    """Yield the conversation as `form` writes it."""

    def write(messages: Sequence[Message]) -> bytes:
        parts = (form.message(message, observatory.content(message, reveal=reveal)) for message in messages)
        return "".join(parts).encode(errors="replace")

    yield form.head(conversation).encode(errors="replace")
    async for messages in _messages(observatory, conversation.id):
        yield await trio.to_thread.run_sync(write, messages)
    yield form.tail().encode()


async def as_json(observatory: Observatory, conversation: Conversation, *, reveal: bool) -> AsyncIterator[bytes]:
    """Yield one object: the conversation and its messages, as the other routes show them."""

    def write(messages: Sequence[Message]) -> bytes:
        shown = (message_json(message, observatory.content(message, reveal=reveal)) for message in messages)
        return b",\n".join(map(encode, shown))

    lead = b""
    yield b'{"schemaVersion":1,"conversation":' + encode(conversation_json(conversation, observatory.redactor))
    yield b',"messages":[\n'
    async for messages in _messages(observatory, conversation.id):
        yield lead + await trio.to_thread.run_sync(write, messages)
        lead = b",\n"
    yield b"]}\n"


async def as_lines(observatory: Observatory, conversation: Conversation, *, reveal: bool) -> AsyncIterator[bytes]:
    """Yield the lines of the transcript. One that holds a secret is written anew, every other as it was read."""
    storage = observatory.storage
    mask = observatory.redactor.mask_all
    for stream in await storage.streams(conversation.id):
        if stream.agent is not None or stream.kind != "transcript":
            continue
        position, rest = 0, b""
        while portion := await storage.bytes_of(stream.id, position):
            position += len(portion)
            if reveal:
                yield portion
                continue
            *lines, rest = _split(rest + portion)
            yield await trio.to_thread.run_sync(_masked, lines, mask)
        if rest:
            yield await trio.to_thread.run_sync(_masked, [rest], mask)


async def _messages(observatory: Observatory, conversation_id: str) -> AsyncIterator[Sequence[Message]]:
    offset = 0
    while True:
        page = await observatory.storage.messages(conversation_id, MessageQuery(offset=offset, limit=MESSAGES_AT_ONCE))
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
