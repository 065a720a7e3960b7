"""/api/conversations/:id/tree"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import trio
from msgspec import Meta, Struct

from ccod import Node, Observatory, Subagent
from ccod_http.web import Paged, Paging, Routes, iso
from ccod_rest.finding import find_conversation
from ccod_rest.trees import Knot, messages_of, tree


class TreeParameters(Paging):
    limit: Annotated[int, Meta(ge=1, le=50_000, description="How many nodes a page holds.")] = 50_000
    messages: Annotated[bool, Meta(description="Messages alone, each below the nearest message before it.")] = False


class NodeJson(Struct, frozen=True, rename="camel"):
    id: str
    parent_id: str | None
    logical_parent_id: str | None
    depth: int
    type: str
    subtype: str
    role: str | None
    timestamp: str
    agent_id: str | None
    is_sidechain: bool
    is_meta: bool
    dangling_parent: bool
    cycle: bool


class TreeJson(Struct, frozen=True):
    """`roots` are all there are, `nodes` those of the page."""

    roots: list[str]
    nodes: list[NodeJson]


def tree_routes(observatory: Observatory) -> Routes:
    routes = Routes("tree", __name__, url_prefix="/api/conversations")
    storage = observatory.storage

    @routes.get("/<conversation_id>/tree", access="read", stored=True, errors=[404])
    async def whole(conversation_id: str, query: TreeParameters) -> Paged[TreeJson]:
        """Show what follows what in a conversation."""
        await find_conversation(storage, conversation_id)
        nodes = await storage.nodes(conversation_id)
        subagents = await storage.subagents(conversation_id)
        shown, total = await trio.to_thread.run_sync(partial(_shown, nodes, subagents, query))
        return query.paged(shown, total)

    return routes


def _shown(nodes: Sequence[Node], subagents: Sequence[Subagent], wanted: TreeParameters) -> tuple[TreeJson, int]:
    starts = {subagent.id: subagent.message_id for subagent in subagents if subagent.message_id}
    knots = tree(nodes, starts)
    if wanted.messages:
        knots = messages_of(knots)
    roots = [knot.node.id for knot in knots if knot.parent is None]
    page = knots[wanted.offset : wanted.offset + wanted.limit]
    return TreeJson(roots, [_node_json(knot) for knot in page]), len(knots)


def _node_json(knot: Knot) -> NodeJson:
    node = knot.node
    return NodeJson(
        id=node.id,
        parent_id=knot.parent,
        logical_parent_id=knot.logical_parent,
        depth=knot.depth,
        type=node.type,
        subtype=node.subtype,
        role=node.role,
        timestamp=iso(node.at),
        agent_id=node.agent,
        is_sidechain=node.sidechain,
        is_meta=node.meta,
        dangling_parent=knot.dangling,
        cycle=knot.cycle,
    )
