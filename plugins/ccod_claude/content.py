"""Shows what a message says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from ccod import Block, Content, decoder
from ccod_jsonl.lines import mend

FILES: Mapping[str, Literal["image", "document"]] = {"image": "image", "document": "document"}
UNREADABLE = Block("other", name="unreadable")


class Said(Struct):
    content: Raw = Raw(b"null")


class Prompted(Struct):
    prompt: Raw = Raw(b"null")


class Spilled(Struct, rename="camel"):
    persisted_output_path: str | None = None


class Told(Struct, rename="camel"):
    """A message, or a prompt that was queued; where a tool's output stands that did not fit into it."""

    message: Said | None = None
    attachment: Prompted | None = None
    tool_use_result: Raw = Raw(b"null")


def read_content(body: bytes) -> Content:
    """Return what the message in the record `body` says; what cannot be read is shown as such."""
    try:
        told = decoder(Told).decode(mend(body))
        blocks = _blocks(_content(told))
        _point_to_output(blocks, told.tool_use_result)
    except (ValueError, RecursionError):
        blocks = [UNREADABLE]
    return Content("\n".join(block.text for block in blocks if block.type == "text" and block.text), blocks)


def _content(told: Told) -> Raw:
    if told.message is not None:
        return told.message.content
    if told.attachment is not None:
        return told.attachment.prompt
    raise ValueError("no message")


def _point_to_output(blocks: list[Block], result: Raw) -> None:
    """Let the only result of a tool say where the whole of it stands."""
    numbers = [number for number, block in enumerate(blocks) if block.type == "toolResult"]
    if len(numbers) != 1 or not bytes(result).startswith(b"{"):
        return
    with suppress(ValueError):
        path = decoder(Spilled).decode(result).persisted_output_path
        blocks[numbers[0]] = replace(blocks[numbers[0]], output_path=path)


def _blocks(content: Raw) -> list[Block]:
    if bytes(content).startswith(b"["):
        return [_block(part) for part in msgspec.json.decode(content, type=list[Raw])]
    text = msgspec.json.decode(content, type=str | None)
    return [] if text is None else [Block("text", text=text)]


def _block(part: Raw) -> Block:
    try:
        fields = msgspec.json.decode(part)
    except (ValueError, RecursionError):
        return UNREADABLE
    if not isinstance(fields, dict):
        return UNREADABLE
    return _shown(_text(fields, "type") or "unknown", fields)


def _shown(kind: str, fields: Mapping[str, Any]) -> Block:
    if kind == "text":
        return Block("text", text=_text(fields, "text") or "")
    if kind == "thinking":
        return Block("thinking", text=_text(fields, "thinking") or "")
    if kind.endswith("tool_use"):
        return Block("toolUse", id=_text(fields, "id"), name=_text(fields, "name"), input=fields.get("input"))
    if kind.endswith("tool_result"):
        return Block(
            "toolResult",
            tool_use_id=_text(fields, "tool_use_id"),
            text="\n".join(_texts(fields.get("content"))),
            is_error=fields.get("is_error") is True,
            files=_files(fields.get("content")),
        )
    return _file(kind, fields) or Block("other", name=kind)


def _files(content: Any) -> Sequence[Block] | None:
    """Return the images and documents among the items of a tool's result, or None."""
    items = content if isinstance(content, list) else []
    files = [_file(_text(item, "type"), item) for item in items if isinstance(item, dict)]
    return [file for file in files if file] or None


def _file(kind: str | None, fields: Mapping[str, Any]) -> Block | None:
    type_ = FILES.get(kind or "")
    if type_ is None:
        return None
    source = fields.get("source")
    if not isinstance(source, dict):
        return Block(type_)
    data = _text(source, "data")
    return Block(type_, media_type=_text(source, "media_type"), size=_decoded_size(data) if data else None)


def _decoded_size(base64: str) -> int:
    return len(base64) * 3 // 4 - base64[-2:].count("=")


def _texts(content: Any) -> Iterator[str]:
    """A tool's result is one text, or a list of which some items are texts."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for item in content:
            if isinstance(item, dict) and (text := _text(item, "text")) is not None:
                yield text


def _text(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) else None
