"""Examples for the documentation: those of the original README, and what it left open."""

from __future__ import annotations

from msgspec import Struct

from ccod import (
    Activity,
    Block,
    Content,
    Conversation,
    Message,
    Project,
    Redactor,
    ToolCall,
    ToolStatistics,
    Totals,
    Usage,
)
from ccod_http.web import conversation_json, message_json, project_json
from ccod_rest.analytics import analytics_json

_NEW_YEAR = 1_672_531_200_000
_USED = Usage(input_tokens=12, output_tokens=480, cache_creation_5m_tokens=3_100, cache_read_tokens=18_400)
_MODEL = "claude-opus-4-5"


class _NoFields(Struct, frozen=True):
    """Of no plugin."""


_CONVERSATION = Conversation(
    id="conv_123",
    project_id="proj_123",
    project_name="My Project",
    title="Fix the failing test",
    state="waiting",
    created_at=_NEW_YEAR,
    updated_at=_NEW_YEAR + 90_500,
    file_path="/path/to/claude/project/conv_123.jsonl",
    machine="laptop",
    message_count=3,
    user_message_count=2,
    assistant_message_count=1,
    response_count=1,
    tool_call_count=1,
    usage=_USED,
    cost_nanos=40_635_000,
    model=_MODEL,
    version="2.1.97",
    branch="main",
    state_reason="turn ended",
    state_since=_NEW_YEAR + 90_500,
)
_MESSAGE = Message(
    id="msg_124",
    conversation_id="conv_123",
    sequence=1,
    role="assistant",
    at=_NEW_YEAR + 4_000,
    format="claude",
    body=b"",
    parent_id="msg_123",
    model=_MODEL,
    response_id="msg_01",
    usage=_USED,
    tool_calls=[ToolCall("toolu_1", "Bash", "success", 1_200, "msg_125")],
)
_CONTENT = Content(
    "I run the tests.",
    [
        Block("text", text="I run the tests."),
        Block("toolUse", id="toolu_1", name="Bash", input={"command": "make test"}),
    ],
)
_BASH = ToolStatistics("Bash", count=1, median_ms=1_200, p95_ms=1_200)

PROJECT = project_json(
    Project(
        id="proj_123",
        name="My Project",
        path="/path/to/claude/project",
        machine="laptop",
        created_at=_NEW_YEAR,
        updated_at=_NEW_YEAR,
        last_activity=_NEW_YEAR,
        conversation_count=15,
        description="Project description",
    )
)
CONVERSATION = conversation_json(_CONVERSATION, Redactor())
MESSAGE = message_json(_MESSAGE, _CONTENT)
ANALYTICS = analytics_json(
    _CONVERSATION, Activity(1, _BASH, [_BASH]), {_MODEL: Totals(_USED, 40_635_000, 1)}, _NoFields()
)
