"""The public module of the HTTP server: all that a plugin with routes of its own imports from it."""

from __future__ import annotations

from ccod_http.encoding import encode
from ccod_http.identity import current_user, require_admin, require_reader
from ccod_http.problems import Problem
from ccod_http.query import NoParameters, Paging, query, query_time
from ccod_http.replies import ok
from ccod_http.settings import HttpSettings
from ccod_http.shapes import (
    ConversationJson,
    CostedUsageJson,
    MessageJson,
    ProjectJson,
    ToolCallJson,
    UsageJson,
    conversation_json,
    cost_micros,
    costed_usage_json,
    dollars,
    message_json,
    project_json,
    usage_json,
)
from ccod_http.times import epoch_ms, iso

__all__ = [
    "ConversationJson",
    "CostedUsageJson",
    "HttpSettings",
    "MessageJson",
    "NoParameters",
    "Paging",
    "Problem",
    "ProjectJson",
    "ToolCallJson",
    "UsageJson",
    "conversation_json",
    "cost_micros",
    "costed_usage_json",
    "current_user",
    "dollars",
    "encode",
    "epoch_ms",
    "iso",
    "message_json",
    "ok",
    "project_json",
    "query",
    "query_time",
    "require_admin",
    "require_reader",
    "usage_json",
]
