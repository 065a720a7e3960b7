"""`ccod show`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

import click

from ccod import Settings
from ccod_http.printing import dollars, first_line, print_json, printable, spoken_input
from ccod_rest.commands.options import Name, conversation_argument, conversation_id, json_option


def show_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @conversation_argument
    @click.option("--agent", type=Name(), metavar="ID", help="Show what this subagent did.")
    @click.option("--tools", is_flag=True, help="Show what tools were given and answered, in full; thoughts, too.")
    @click.option(
        "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many of the last messages."
    )
    @click.option("--all", "everything", is_flag=True, help="All messages.")
    @json_option
    def show(  # noqa: PLR0913
        conversation: str, *, agent: str | None, tools: bool, limit: int, everything: bool, as_json: bool
    ) -> None:
        """Print CONVERSATION: its id, the beginning of that, or `latest`.

        Each tool call is a line, and so is each subagent.

        Example: ccod show latest --tools
        """
        from ccod_http.client import get

        chosen = settings()
        path = f"/api/conversations/{quote(conversation_id(chosen, conversation), safe='')}"
        found = get(chosen, path)
        subagents = get(chosen, f"{path}/subagents")
        messages = _messages(chosen, path, agent, None if everything else limit)
        if as_json:
            print_json(conversation=found, messages=[*messages], subagents=subagents)
            return
        for line in (*_head(found), *_said(messages, subagents, tools=tools)):
            click.echo(printable(line))

    return show


def _messages(settings: Settings, path: str, agent: str | None, most: int | None) -> Iterable[Any]:
    from ccod_http.client import pages

    if most is None:
        return pages(settings, f"{path}/messages", limit=200, agent=agent)
    last = pages(settings, f"{path}/messages", limit=min(most, 200), agent=agent, order="desc")
    return [*islice(last, most)][::-1]


def _head(found: Any) -> Iterator[str]:
    yield first_line(found["title"])
    yield f"{found['id']}  {found['projectName'] or '-'}  {found['state']}: {found['stateReason']}"
    yield f"{found['messageCount']:,} messages, {found['toolUsageCount']:,} tool calls, {dollars(found)}"


def _said(messages: Iterable[Any], subagents: Iterable[Any], *, tools: bool) -> Iterator[str]:
    started = {each["toolUseId"]: each for each in subagents if each["toolUseId"]}
    for message in messages:
        lines = [line for block in message["blocks"] for line in _block(block, started, tools=tools)]
        if lines:
            at = datetime.fromisoformat(message["timestamp"]).astimezone()
            yield ""
            yield f"── {_speaker(message)}  {at:%Y-%m-%d %H:%M:%S}"
            yield from lines


def _speaker(message: Any) -> str:
    if message["isMeta"]:
        return "meta"
    return message["model"] or "assistant" if message["role"] == "assistant" else "user"


def _block(block: Any, started: dict[str, Any], *, tools: bool) -> Iterator[str]:
    text = block.get("text") or ""
    match block["type"]:
        case "text":
            yield from text.strip().splitlines()
        case "thinking" if tools:
            yield from _indented(text or "(thought, not written)")
        case "toolUse":
            yield f"  ▸ {block.get('name')}  {spoken_input(block.get('input'))}".rstrip()
            if tools:
                yield from _indented(_written(block.get("input")))
            if agent := started.get(block.get("id", "")):
                yield f"    subagent {agent['id']}: {agent['messageCount']} messages, {dollars(agent['usage'])}"
        case "toolResult":
            yield f"  {'✗' if block.get('isError') else '✓'} {first_line(text)}".rstrip()
            if tools:
                yield from _indented(text)
        case "image" | "document":
            yield f"  ({block['type']}, {block.get('mediaType')}, {block.get('size')} bytes)"


def _indented(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"    {line}"


def _written(arguments: Any) -> str:
    if not isinstance(arguments, dict):
        return str(arguments)
    return "\n".join(f"{name}: {value}" for name, value in arguments.items())
