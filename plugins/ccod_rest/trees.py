"""Makes a tree of a conversation's entries, whatever they say of each other: in one pass, without recursion.

An entry follows its parent, the first of a subagent the message that started it. Where that is not to be found, or
leads in a circle, a tree begins. What goes on after a compaction begins one too, and says what it goes on from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ccod import Node


class Knot(Struct, gc=False):
    """A node in its place: `parent` is one that is there, `logical_parent` only stands at a root."""

    node: Node
    parent: str | None = None
    logical_parent: str | None = None
    depth: int = 0
    dangling: bool = False
    cycle: bool = False


def tree(nodes: Sequence[Node], starts: Mapping[str, str]) -> list[Knot]:
    """Return a knot for each of `nodes`. `starts` names the messages in which subagents were started."""
    knots = {node.id: Knot(node) for node in nodes}
    for knot in knots.values():
        _tie(knot, knots, starts)
    _measure(knots)
    return list(knots.values())


def messages_of(knots: Sequence[Knot]) -> list[Knot]:
    """Return the messages alone: each follows the nearest message before it."""
    by_id = {knot.node.id: knot for knot in knots}
    folded: dict[str, Knot] = {}
    last: dict[str, tuple[str | None, Knot]] = {}
    for knot in sorted(knots, key=lambda each: each.depth):
        before, root = last[knot.parent] if knot.parent is not None else (None, knot)
        if knot.node.role is None:
            last[knot.node.id] = before, root
            continue
        last[knot.node.id] = knot.node.id, root
        depth = folded[before].depth + 1 if before is not None else 0
        folded[knot.node.id] = Knot(knot.node, before, None, depth, knot.dangling, knot.cycle)
        if before is None:
            _begin(folded[knot.node.id], root)
    for knot in folded.values():
        if knot.logical_parent is not None:
            knot.logical_parent = last[knot.logical_parent][0]
    return [folded[id_] for id_ in by_id if id_ in folded]


def _begin(knot: Knot, root: Knot) -> None:
    """Let the first message of a tree say what its root said."""
    knot.logical_parent, knot.dangling, knot.cycle = root.logical_parent, root.dangling, root.cycle


def _tie(knot: Knot, knots: Mapping[str, Knot], starts: Mapping[str, str]) -> None:
    node = knot.node
    if node.parent in knots:
        knot.parent = node.parent
        return
    knot.dangling = node.parent is not None
    if node.logical_parent in knots:
        knot.logical_parent = node.logical_parent
        return
    start = starts.get(node.agent) if node.agent else None
    if start in knots:
        knot.parent = start


def _measure(knots: Mapping[str, Knot]) -> None:
    """Set the depths; cut each circle at that of its knots which comes first."""
    order = {id_: number for number, id_ in enumerate(knots)}
    measured: set[str] = set()
    for first in knots.values():
        way = _way_up(first, knots, measured)
        while way and (circle := _circle(way, knots)):
            start = min(circle, key=lambda each: order[each.node.id])
            start.parent, start.cycle = None, True
            way = _way_up(first, knots, measured)
        for knot in reversed(way.values()):
            knot.depth = 0 if knot.parent is None else knots[knot.parent].depth + 1
        measured.update(way)


def _way_up(knot: Knot, knots: Mapping[str, Knot], measured: set[str]) -> dict[str, Knot]:
    """Return the knots from this one up to a root, to one that is measured, or once around a circle."""
    way: dict[str, Knot] = {}
    here: Knot | None = knot
    while here is not None and here.node.id not in measured and here.node.id not in way:
        way[here.node.id] = here
        here = knots[here.parent] if here.parent is not None else None
    return way


def _circle(way: dict[str, Knot], knots: Mapping[str, Knot]) -> list[Knot]:
    """Return the circle in which a way ends, or nothing."""
    last = next(reversed(way.values()))
    if last.parent not in way:
        return []
    circle, here = [last], knots[last.parent]
    while here is not last:
        circle.append(here)
        here = knots[here.parent or ""]
    return circle
