"""What a conversation and a project show of the entries below them, kept as the entries come."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from ccod import Entry
from ccod_sql import rows
from ccod_sql.responses import Responses
from ccod_sql.tool_calls import ToolCalls

WORKTREE = re.compile(r"[/\\]\.(?:claude[/\\])?worktrees[/\\][^/\\]+.*", re.DOTALL)


def untitled(key: str) -> tuple[str, int]:
    """Return the title of a conversation that has none, and a rank below every title's."""
    return key[:8], -1


def describe(conversation: rows.Conversation, entries: Sequence[Entry]) -> None:
    """Take over what the conversation's own entries say of it."""
    for entry in entries:
        conversation.cwd = conversation.cwd or entry.cwd
        conversation.latest_cwd = entry.cwd or conversation.latest_cwd
        conversation.version = entry.version or conversation.version
        conversation.branch = entry.branch or conversation.branch
        # A response that used nothing, such as a local notice, does not say which model is at work.
        if entry.response and entry.response.usage.total_tokens:
            conversation.model = entry.response.model
        if entry.title and not entry.title.leaf and _beats(entry.title.rank, conversation.title_rank):
            conversation.title, conversation.title_rank = entry.title.text, entry.title.rank


def _beats(rank: int, other: int) -> bool:
    return rank > other or rank == other != 0


def count(
    conversation: rows.Conversation, stored: Sequence[rows.Entry], responses: Responses, calls: ToolCalls
) -> None:
    """Count the conversation's own entries, responses and tool calls."""
    users = sum(row.role == "user" for row in stored)
    assistants = sum(row.role == "assistant" for row in stored)
    conversation.message_count += users + assistants
    conversation.user_message_count += users
    conversation.assistant_message_count += assistants
    conversation.response_count += responses.new_count
    conversation.tool_call_count += calls.new_calls
    conversation.tool_error_count += calls.new_errors
    conversation.error_count += sum(row.error and row.role == "assistant" for row in stored)
    conversation.cost_nanos += responses.gained_nanos
    conversation.unpriced_response_count += responses.gained_unpriced
    for name, gained in responses.gained.items():
        setattr(conversation, name, getattr(conversation, name) + gained)


def date(conversation: rows.Conversation, entries: Sequence[Entry]) -> None:
    """Stretch the conversation's time over its entries; the time of storing stands in until one states a time."""
    times = [entry.at for entry in entries if entry.at is not None]
    if not times:
        return
    if conversation.timed:
        times += conversation.created_at, conversation.updated_at
    conversation.created_at, conversation.updated_at, conversation.timed = min(times), max(times), True


def project_path(cwd: str) -> str:
    """Return the directory that `cwd` counts to: a worktree belongs to its repository."""
    path = WORKTREE.sub("", cwd) or cwd
    return path.rstrip("/\\") or path


def project_key(machine: str, path: str) -> str:
    return "proj_" + hashlib.blake2b(f"{machine}\0{path}".encode(), digest_size=8).hexdigest()


def project_name(path: str) -> str:
    return re.split(r"[/\\]", path)[-1] or path


def folder_name(file_path: str) -> str:
    """Return the name of the folder that a file is in: what a project is called as long as no entry names it."""
    return project_name(re.sub(r"[/\\][^/\\]*$", "", file_path))


def touch(project: rows.Project, conversation: rows.Conversation) -> None:
    """Stretch the project's time over one of its conversations."""
    project.created_at = min(project.created_at, conversation.created_at)
    project.updated_at = max(project.updated_at, conversation.updated_at)
    project.last_activity = max(project.last_activity or 0, conversation.updated_at)
