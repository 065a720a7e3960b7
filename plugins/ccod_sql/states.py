"""The state of a conversation: it follows from its own entries, one after another, and from the clock."""

from __future__ import annotations

from ccod import Entry, State
from ccod_sql import rows

IDLE_MS = 5 * 60 * 1000
TOOL_MS = 60 * 60 * 1000
"""How long a conversation that does not grow is not over: a tool may take its time, or wait for a permission."""

NEVER = 2**63 - 1
"""A time that does not come."""

ENDINGS: dict[str, tuple[State, str]] = {
    "turn": ("waiting", "turn ended"),
    "interrupt": ("waiting", "interrupted"),
    "retries": ("error", "retries exhausted"),
}


def follow(conversation: rows.Conversation, entry: Entry) -> None:
    """Take over what one more of the conversation's own entries says. The side conversations in its file do not count.

    Tool calls that have no answer when a prompt comes, or when the agent stops, are given up: they await none.
    """
    if entry.sidechain:
        return
    if entry.role is not None:
        conversation.ending = ""
        if entry.role == "assistant":
            conversation.last_error = entry.error
    if entry.ends is not None:
        conversation.ending = entry.ends
    if entry.ends is not None or _is_prompt(entry):
        conversation.turn += 1
        conversation.pending_count = 0


def _is_prompt(entry: Entry) -> bool:
    """Tell whether a turn begins here. A prompt that was queued goes into the turn that is under way."""
    return entry.role == "user" and not entry.meta and not entry.tool_results and entry.queued is None


def settle_again(conversation: rows.Conversation) -> None:
    """Set the state after the entries were understood anew. The time has run out of what was told so, and only that."""
    settle(conversation, NEVER if conversation.state_due is None else conversation.appended_at)


def settle(conversation: rows.Conversation, now: int, *, anew: bool = False) -> None:
    """Set the state that holds `now`. It began when the conversation last grew or when its time ran out.

    One that stays as it is keeps its beginning, unless `anew` says that what is stored now is all that is known of it.
    """
    state, reason = _at_work(conversation)
    since = conversation.appended_at
    due = since + (TOOL_MS if state == "pending_tool" else IDLE_MS)
    is_over = due <= now
    if is_over and state != "error":
        state, reason, since = "completed", "idle", due
    if anew or state != conversation.state or not conversation.state_since:
        conversation.state_since = since if conversation.timed else max(since, conversation.created_at)
    conversation.state, conversation.state_reason = state, reason
    conversation.state_due = None if is_over else due


def _at_work(conversation: rows.Conversation) -> tuple[State, str]:
    """Return the state of a conversation whose time has not run out, and its reason."""
    if conversation.last_error:
        return "error", "api error"
    if conversation.ending:
        return ENDINGS[conversation.ending]
    if conversation.pending_count:
        return "pending_tool", "tool unanswered"
    return "active", "growing"
