"""A conversation for readers: as Markdown, and as one HTML page that loads nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from typing import Any

from ccod import Block, Content, Conversation, Message, Redactor, Subagent
from ccod_http.web import iso

STYLE = """
:root { color-scheme: light dark; --line: #d0d0d0; --user: #eef4ff; --text: #1a1a1a; --page: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --line: #444444; --user: #1d2736; --text: #e6e6e6; --page: #161616; }
}
body { margin: 0 auto; max-width: 50rem; padding: 1rem; color: var(--text); background: var(--page);
  font: 1rem/1.5 system-ui, sans-serif; }
article { border-top: 1px solid var(--line); padding: .75rem; }
article.user { background: var(--user); }
header { font-size: .85rem; opacity: .75; }
pre, div.text { white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0; }
pre { font-size: .85rem; max-height: 40rem; overflow: auto; border: 1px solid var(--line); padding: .5rem; }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"

# What a browser would obey instead of show: control characters, and those that turn the direction of text.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Html:
    """One page. Everything that was said is text in it, never markup."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def head(self, conversation: Conversation) -> str:
        title = _text(self._redactor.mask(conversation.title))
        facts = _text(f"{conversation.project_name} · {iso(conversation.created_at)} · {conversation.id}")
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_text(POLICY)}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
            f"<h1>{title}</h1>\n<p>{facts}</p>\n"
        )

    def message(self, message: Message, content: Content) -> str:
        blocks = "".join(self._block(block) for block in content.blocks)
        who = _text(f"{message.role} · {iso(message.at)}")
        kind = "user" if message.role == "user" else "assistant"
        return f'<article class="{kind}">\n<header>{who}</header>\n{blocks}</article>\n'

    def begin(self, subagent: Subagent) -> str:
        return f"<details><summary>{_text(_about(subagent, self._redactor))}</summary>\n"

    def end(self) -> str:
        return "</details>\n"

    def tail(self) -> str:
        return "</body>\n</html>\n"

    def _block(self, block: Block) -> str:
        if block.type == "text":
            return f'<div class="text">{_text(block.text or "")}</div>\n'
        return f"<details><summary>{_text(_label(block))}</summary><pre>{_text(_said(block))}</pre></details>\n"


class Markdown:
    """Text as it was said; what tools got and gave in fences that it cannot close."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def head(self, conversation: Conversation) -> str:
        title = " ".join(self._redactor.mask(conversation.title).split())
        facts = f"{conversation.project_name} · {iso(conversation.created_at)} · {conversation.id}"
        return f"# {title}\n\n{facts}\n"

    def message(self, message: Message, content: Content) -> str:
        blocks = "\n".join(self._block(block) for block in content.blocks)
        return f"\n## {message.role.capitalize()} · {iso(message.at)}\n\n{blocks}"

    def begin(self, subagent: Subagent) -> str:
        return f"\n<details>\n<summary>{_text(_about(subagent, self._redactor))}</summary>\n"

    def end(self) -> str:
        return "\n</details>\n"

    def tail(self) -> str:
        return ""

    def _block(self, block: Block) -> str:
        said = _said(block)
        if block.type == "text":
            return f"{said}\n"
        if not said:
            return f"*{_label(block)}*\n"
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", said)), default=0))
        return f"*{_label(block)}*\n\n{fence}\n{said}\n{fence}\n"


def _about(subagent: Subagent, redactor: Redactor) -> str:
    known = (subagent.agent_type, subagent.description, subagent.id)
    return " ".join(redactor.mask(" · ".join(filter(None, ("subagent", *known)))).split())


def _label(block: Block) -> str:
    match block.type:
        case "toolUse":
            return f"tool {block.name}"
        case "toolResult":
            return "; ".join(["error" if block.is_error else "result", *map(_label, block.files or ())])
        case "image" | "document":
            return f"{block.type} {block.media_type or ''}, {block.size or 0} bytes"
        case _:
            return block.name or block.type


def _said(block: Block) -> str:
    return block.text or ("" if block.input is None else _json(block.input))


def _json(value: Any) -> str:
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply)"


def _text(text: str) -> str:
    shown = _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\r\n", "\n"))
    return html.escape(shown, quote=True)
