"""The examples of the original README, key by key, and the shapes that it left open."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from ccod import Conversation, Message, Project, ToolCall, Usage
from tests.plugins.http.serving import Server

NEW_YEAR = 1_672_531_200_000
USAGE = Usage(10, 20, 1, 2, 300)
USAGE_JSON = {
    "inputTokens": 10,
    "outputTokens": 20,
    "cacheCreationTokens": 3,
    "cacheReadTokens": 300,
    "totalTokens": 333,
}

PROJECT = Project(
    id="proj_123",
    name="My Project",
    path="/path/to/claude/project",
    machine="box",
    created_at=NEW_YEAR,
    updated_at=NEW_YEAR,
    last_activity=NEW_YEAR,
    conversation_count=15,
    description="Project description",
)
CONVERSATION = Conversation(
    id="conv_1",
    project_id="proj_123",
    project_name="My Project",
    title="Fix it",
    state="waiting",
    created_at=NEW_YEAR,
    updated_at=NEW_YEAR + 90_500,
    file_path="/t/conv_1.jsonl",
    machine="box",
    message_count=3,
    user_message_count=2,
    assistant_message_count=1,
    response_count=1,
    tool_call_count=1,
    tool_error_count=0,
    subagent_count=0,
    usage=USAGE,
    cost_nanos=1_234_567_500,
    model="m-1",
    version="1.2.3",
    branch="main",
    cwd="/home/u/garden",
    latest_cwd="/home/u/garden/shed",
    state_reason="turn ended",
    state_since=NEW_YEAR + 90_000,
)
ASSISTANT = Message(
    id="msg_1",
    conversation_id="conv_1",
    sequence=1,
    role="assistant",
    at=NEW_YEAR,
    format="plain",
    body=json.dumps(
        {
            "text": "Look \ud800",
            "blocks": [
                {"type": "text", "text": "Look \ud800"},
                {"type": "toolUse", "id": "tool_1", "name": "Bash", "input": {"command": "ls", "n": float("nan")}},
            ],
        }
    ).encode(),
    parent_id="msg_0",
    model="m-1",
    response_id="resp_1",
    usage=USAGE,
    tool_calls=[ToolCall("tool_1", "Bash", "success", 12, "msg_2")],
)


async def get(server: Server, path: str) -> Any:
    async with server.client() as client:
        response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    return json.loads(response.content.decode("utf-8"), parse_constant=lambda name: 1 / 0)


async def test_the_list_of_projects_is_the_readmes(server: Server) -> None:
    server.shelf.all_projects = [PROJECT]
    assert await get(server, "/api/projects") == {
        "success": True,
        "data": [
            {
                "id": "proj_123",
                "name": "My Project",
                "description": "Project description",
                "claudePath": "/path/to/claude/project",
                "settings": {},
                "createdAt": "2023-01-01T00:00:00.000Z",
                "updatedAt": "2023-01-01T00:00:00.000Z",
                "conversationCount": 15,
                "lastActivity": "2023-01-01T00:00:00.000Z",
                "machine": "box",
            }
        ],
        "pagination": {
            "page": 1,
            "limit": 20,
            "total": 1,
            "pages": 1,
            "hasNext": False,
            "hasPrev": False,
            "nextCursor": None,
        },
    }


async def test_one_project_is_an_item_of_the_list(server: Server) -> None:
    server.shelf.all_projects = [PROJECT]
    listed = await get(server, "/api/projects")
    assert await get(server, "/api/projects/proj_123") == {"success": True, "data": listed["data"][0]}


async def test_a_conversation_tells_all(server: Server) -> None:
    server.shelf.all_conversations = [CONVERSATION]
    shown = await get(server, "/api/conversations/conv_1")
    assert shown == {
        "success": True,
        "data": {
            "id": "conv_1",
            "projectId": "proj_123",
            "projectName": "My Project",
            "title": "Fix it",
            "status": "active",
            "state": "waiting",
            "stateReason": "turn ended",
            "stateSince": "2023-01-01T00:01:30.000Z",
            "filePath": "/t/conv_1.jsonl",
            "fileDeletedAt": None,
            "fileRewrittenAt": None,
            "machine": "box",
            "createdAt": "2023-01-01T00:00:00.000Z",
            "updatedAt": "2023-01-01T00:01:30.500Z",
            "lastUpdated": "2023-01-01T00:01:30.500Z",
            "durationSeconds": 90.5,
            "messageCount": 3,
            "userMessageCount": 2,
            "assistantMessageCount": 1,
            "responseCount": 1,
            "toolUsageCount": 1,
            "toolErrorCount": 0,
            "subagentCount": 0,
            "model": "m-1",
            "version": "1.2.3",
            "gitBranch": "main",
            "cwd": "/home/u/garden",
            "latestCwd": "/home/u/garden/shed",
            "tokenCount": 333,
            "usage": USAGE_JSON,
            "costUsd": 1.234568,
            "costUsdMicros": 1234568,
        },
    }
    assert (await get(server, "/api/conversations"))["data"] == [shown["data"]]


async def test_a_cost_is_null_only_where_nothing_that_was_used_has_a_price(server: Server) -> None:
    for nanos, unpriced, micros in ((0, 0, 0), (0, 2, None), (499, 2, 0), (500, 0, 1)):
        changed = replace(CONVERSATION, cost_nanos=nanos, unpriced_response_count=unpriced)
        server.shelf.all_conversations = [changed]
        shown = (await get(server, "/api/conversations/conv_1"))["data"]
        assert (shown["costUsdMicros"], shown["costUsd"]) == (micros, None if micros is None else micros / 1e6)


async def test_a_message_tells_all_and_is_clean_json(server: Server) -> None:
    server.shelf.all_conversations = [CONVERSATION]
    server.shelf.all_messages = [ASSISTANT]
    arguments = {"command": "ls", "n": None}
    assert await get(server, "/api/conversations/conv_1/messages") == {
        "success": True,
        "data": [
            {
                "id": "msg_1",
                "conversationId": "conv_1",
                "sequence": 1,
                "role": "assistant",
                "content": "Look \ufffd",
                "blocks": [
                    {"type": "text", "text": "Look \ufffd"},
                    {"type": "toolUse", "id": "tool_1", "name": "Bash", "input": arguments},
                ],
                "toolCalls": [
                    {
                        "id": "tool_1",
                        "name": "Bash",
                        "input": arguments,
                        "executionTime": 12,
                        "status": "success",
                        "resultMessageId": "msg_2",
                    }
                ],
                "timestamp": "2023-01-01T00:00:00.000Z",
                "model": "m-1",
                "tokenCount": 333,
                "usage": USAGE_JSON,
                "responseId": "resp_1",
                "parentId": "msg_0",
                "agentId": None,
                "isSidechain": False,
                "isMeta": False,
            }
        ],
        "pagination": {
            "page": 1,
            "limit": 50,
            "total": 1,
            "pages": 1,
            "hasNext": False,
            "hasPrev": False,
            "nextCursor": None,
        },
    }
