"""The channels of ccod's own."""

from __future__ import annotations

from ccod_ws.channels import Channel
from ccod_ws.events import (
    ConversationEnded,
    ConversationForgotten,
    ConversationStarted,
    ConversationStateChanged,
    ConversationUpdated,
    FileChanged,
    MessageAdded,
    ProjectDiscovered,
    ProjectForgotten,
    ProjectUpdated,
    ServerShutdown,
    SystemHealth,
)


def own_channels() -> list[Channel]:
    return [
        Channel(
            "conversations",
            "What is said in conversations, and how they go.",
            [
                ConversationStarted,
                MessageAdded,
                ConversationStateChanged,
                ConversationEnded,
                ConversationForgotten,
                ConversationUpdated,
            ],
            stored=(
                "conversation_started",
                "message_added",
                "conversation_state_changed",
                "conversation_ended",
                "conversation_forgotten",
            ),
            about=("projectId", "conversationId"),
        ),
        Channel(
            "projects",
            "Projects that come, change and go.",
            [ProjectDiscovered, ProjectForgotten, ProjectUpdated],
            stored=("project_discovered", "project_updated", "project_forgotten"),
            about=("projectId",),
        ),
        Channel("files", "What happens to transcript files.", [FileChanged]),
        Channel("system", "How the daemon is doing.", [SystemHealth, ServerShutdown]),
    ]
