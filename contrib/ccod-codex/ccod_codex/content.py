"""Shows what a message says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ccod import Block, Content
from ccod_codex.families import CALLS, DONE, OUTPUTS
from ccod_jsonl.lines import mend

DATA_URL = re.compile(r"data:([\w.+/-]+);base64,(.*)", re.DOTALL)


def read_content(body: bytes) -> Content:
    """Return what the record `body` says; what cannot be read is shown as such."""
    try:
        payload = msgspec.json.decode(mend(body), type=dict[str, Any])["payload"]
        blocks = list(_blocks(payload)) if isinstance(payload, dict) else []
    except (ValueError, KeyError, RecursionError):
        blocks = [Block("other", name="unreadable")]
    return Content("\n".join(block.text for block in blocks if block.type == "text" and block.text), blocks)


def _blocks(payload: Mapping[str, Any]) -> Iterator[Block]:
    kind = payload.get("type")
    if kind in CALLS or kind in DONE:
        given = next((payload[key] for key in ("arguments", "input", "action") if key in payload), None)
        yield Block("toolUse", id=call_id(payload), name=tool_name(payload), input=_parsed(given))
        if kind in DONE:
            yield Block("toolResult", tool_use_id=call_id(payload), text="", is_error=payload.get("status") == "failed")
    elif kind in OUTPUTS:
        text, files = _output(payload.get("output", payload.get("tools")))
        yield Block("toolResult", tool_use_id=call_id(payload), text=text, files=files or None)
    elif kind == "reasoning":
        for part in (*_parts(payload.get("summary")), *_parts(payload.get("content"))):
            yield Block("thinking", text=str(part.get("text") or ""))
    elif kind == "message":
        for part in _parts(payload.get("content")):
            yield _part(part)
    elif isinstance(payload.get("message"), str):
        yield Block("text", text=payload["message"])  # what a compaction leaves of the conversation


def call_id(payload: Mapping[str, Any]) -> str | None:
    found = payload.get("call_id") or payload.get("id")
    return found if isinstance(found, str) else None


def tool_name(payload: Mapping[str, Any]) -> str:
    kind, name = str(payload.get("type")), payload.get("name")
    return name if isinstance(name, str) and name else DONE.get(kind, kind.removesuffix("_call"))


def _part(part: Mapping[str, Any]) -> Block:
    kind = part.get("type")
    if kind in ("input_text", "output_text", "text"):
        return Block("text", text=str(part.get("text") or ""))
    if kind == "input_image":
        return _image(part.get("image_url"))
    return Block("other", name=str(kind))


def _image(url: Any) -> Block:
    found = DATA_URL.match(url) if isinstance(url, str) else None
    return Block("image", media_type=found[1], size=len(found[2]) * 3 // 4) if found else Block("image")


def _output(output: Any) -> tuple[str, list[Block]]:
    """Return the text of a tool's output, and the images in it: it is a text, parts, or an object with a text."""
    if isinstance(output, dict):
        output = output.get("content")
    if isinstance(output, list):
        blocks = [_part(part) for part in _parts(output)]
        texts = [block.text for block in blocks if block.type == "text" and block.text]
        return "\n".join(texts), [block for block in blocks if block.type == "image"]
    text = output if isinstance(output, str) else ""
    inner = _parsed(text) if text.startswith("{") else None
    said = inner.get("output") if isinstance(inner, dict) else None
    return (said if isinstance(said, str) else text), []


def _parts(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _parsed(value: Any) -> Any:
    """Return what a text of JSON stands for, or the text itself; arguments come as such a text."""
    if not isinstance(value, str):
        return value
    try:
        parsed = msgspec.json.decode(mend(value.encode(errors="replace")))
    except (ValueError, RecursionError):
        return value
    return parsed if isinstance(parsed, dict | list) else value
