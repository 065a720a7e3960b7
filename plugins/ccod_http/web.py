"""The public module of the HTTP server: all that a plugin with routes of its own imports from it."""

from __future__ import annotations

from ccod_http.body import Body
from ccod_http.encoding import encode
from ccod_http.identity import caller, current_user, require
from ccod_http.middleware import Middleware
from ccod_http.problems import Problem
from ccod_http.query import Listing, Moment, Paging, invalid, query_time
from ccod_http.replies import Paged
from ccod_http.routes import Routes
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
    "Body",
    "ConversationJson",
    "CostedUsageJson",
    "HttpSettings",
    "Listing",
    "MessageJson",
    "Middleware",
    "Moment",
    "Paged",
    "Paging",
    "Problem",
    "ProjectJson",
    "Routes",
    "ToolCallJson",
    "UsageJson",
    "caller",
    "conversation_json",
    "cost_micros",
    "costed_usage_json",
    "current_user",
    "dollars",
    "encode",
    "epoch_ms",
    "invalid",
    "iso",
    "message_json",
    "project_json",
    "query_time",
    "require",
    "usage_json",
]
