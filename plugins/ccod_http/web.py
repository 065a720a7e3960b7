"""The public module of the HTTP server: all that a plugin with routes of its own imports from it."""

from __future__ import annotations

from ccod_http.body import Body
from ccod_http.encoding import encode
from ccod_http.frames import Frame
from ccod_http.identity import caller, current_user, issue_ticket, require
from ccod_http.link import Link, WebSocket, current_address, current_link
from ccod_http.looking import current_look, sees_here
from ccod_http.middleware import Middleware
from ccod_http.places import served_at
from ccod_http.problems import Problem
from ccod_http.query import Listing, Moment, Paging, invalid, query_time
from ccod_http.quota import Counts
from ccod_http.replies import Paged
from ccod_http.reuse import keep_no_answer
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
from ccod_http.tickets import Ticket
from ccod_http.times import epoch_ms, iso, parse_time

__all__ = [
    "Body",
    "ConversationJson",
    "CostedUsageJson",
    "Counts",
    "Frame",
    "HttpSettings",
    "Link",
    "Listing",
    "MessageJson",
    "Middleware",
    "Moment",
    "Paged",
    "Paging",
    "Problem",
    "ProjectJson",
    "Routes",
    "Ticket",
    "ToolCallJson",
    "UsageJson",
    "WebSocket",
    "caller",
    "conversation_json",
    "cost_micros",
    "costed_usage_json",
    "current_address",
    "current_link",
    "current_look",
    "current_user",
    "dollars",
    "encode",
    "epoch_ms",
    "invalid",
    "iso",
    "issue_ticket",
    "keep_no_answer",
    "message_json",
    "parse_time",
    "project_json",
    "query_time",
    "require",
    "sees_here",
    "served_at",
    "usage_json",
]
