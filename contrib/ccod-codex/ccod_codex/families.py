"""The families of lines that Codex writes, as far as they are known: see codex-rs/rollout/src/policy.rs."""

from __future__ import annotations

CALLS = {"function_call", "custom_tool_call", "local_shell_call", "tool_search_call"}
OUTPUTS = {"function_call_output", "custom_tool_call_output", "tool_search_output"}
DONE = {"web_search_call": "web_search", "image_generation_call": "image_generation"}
"""Calls that the API answers by itself: no output follows them."""

TURN_ENDS = {"task_complete", "turn_complete"}
SUBTYPES = {
    "session_meta": {""},
    "turn_context": {""},
    "compacted": {""},
    "world_state": {""},
    "token_usage_record": {""},
    "response_item": {"message", "reasoning", "ghost_snapshot", "compaction", "other", *CALLS, *OUTPUTS, *DONE},
    "event_msg": {
        *("user_message", "agent_message", "agent_reasoning", "agent_reasoning_raw_content", "token_count"),
        *("task_started", "turn_started", *TURN_ENDS, "turn_aborted", "context_compacted", "thread_name_updated"),
        *("entered_review_mode", "exited_review_mode", "thread_rolled_back", "undo_completed", "item_completed"),
        *("image_generation_end", "error", "exec_command_end", "patch_apply_end", "mcp_tool_call_end"),
        *("web_search_end", "view_image_tool_call"),
    },
}


def is_known(kind: str, subtype: str) -> bool:
    """Tell whether a line of this type was heard of."""
    return subtype in SUBTYPES.get(kind, ())
