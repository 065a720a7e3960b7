"""The families of lines that Claude Code writes, as far as they are known."""

from __future__ import annotations

CHAIN = {"user", "assistant", "system", "progress", "attachment"}
TITLES = {"custom-title", "agent-name", "ai-title", "summary"}
STATES = {"agent-setting", "tag", "last-prompt", "mode", "permission-mode", "pr-link", "bridge-session", "atis-latch"}
FILES = {"file-history-snapshot", "file-history-delta"}
TYPES = CHAIN | TITLES | STATES | FILES | {"queue-operation"}
SUBTYPES = {
    "system": {
        *("turn_duration", "stop_hook_summary", "compact_boundary", "microcompact_boundary", "api_error"),
        *("local_command", "away_summary", "informational", "scheduled_task_fire"),
    },
    "progress": {
        *("bash_progress", "agent_progress", "hook_progress", "mcp_progress"),
        *("query_update", "search_results_received", "waiting_for_task"),
    },
    "attachment": {
        *("hook_success", "hook_additional_context", "hook_blocking_error", "hook_non_blocking_error"),
        *("hook_system_message", "deferred_tools_delta", "agent_listing_delta", "mcp_instructions_delta"),
        *("skill_listing", "task_reminder", "total_tokens_reminder", "nested_memory", "file"),
        *("compact_file_reference", "selected_lines_in_ide", "plan_mode", "auto_mode", "command_permissions"),
        *("structured_output", "read_truncation_notice", "queued_command"),
    },
}


def is_known(kind: str, subtype: str) -> bool:
    """Tell whether a line of this type was heard of. Types that have subtypes may come without any."""
    return kind in TYPES and (not subtype or kind not in SUBTYPES or subtype in SUBTYPES[kind])
