"""The tree of a conversation: whatever entries say of each other, each stands in it once, below a root."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ccod import Node
from ccod_rest.trees import Knot, messages_of, tree

NAMES = st.sampled_from("abcdefgh")
LINKS = st.lists(st.tuples(NAMES, NAMES | st.none(), NAMES | st.none(), st.booleans()), unique_by=lambda each: each[0])


def node(id_: str, parent: str | None, logical: str | None = None, *, message: bool = True, agent: str = "") -> Node:
    return Node(id_, parent, logical, "x", "", "user" if message else None, 0, agent or None, False, False)


def parents(knots: list[Knot]) -> dict[str, str | None]:
    return {knot.node.id: knot.parent for knot in knots}


@given(LINKS)
def test_everything_stands_below_a_root(links: list[tuple[str, str | None, str | None, bool]]) -> None:
    nodes = [node(id_, parent, logical, message=message) for id_, parent, logical, message in links]
    knots = tree(nodes, {})
    assert [knot.node for knot in knots] == nodes
    for some in (knots, messages_of(knots)):
        by_id = {knot.node.id: knot for knot in some}
        for knot in some:
            assert (knot.depth == 0) == (knot.parent is None)
            assert knot.depth == 0 or by_id[knot.parent or ""].depth == knot.depth - 1
            assert knot.logical_parent is None or knot.logical_parent in by_id
    said = {each.id: each.parent for each in nodes}
    for knot in knots:
        if knot.parent is not None:
            assert knot.parent == said[knot.node.id]
        else:
            assert knot.cycle or said[knot.node.id] not in said
        assert knot.dangling == (said[knot.node.id] is not None and said[knot.node.id] not in said)
    assert {knot.node.id for knot in messages_of(knots)} == {each.id for each in nodes if each.role}


@given(LINKS)
def test_a_circle_is_cut_once(links: list[tuple[str, str | None, str | None, bool]]) -> None:
    nodes = [node(id_, parent) for id_, parent, *_ in links]
    said = {each.id: each.parent for each in nodes}
    for knot in (each for each in tree(nodes, {}) if each.cycle):
        circle, here = [knot.node.id], said[knot.node.id]
        while here != knot.node.id:
            assert here is not None
            circle.append(here)
            here = said[here]
        assert sum(each.cycle for each in tree(nodes, {}) if each.node.id in circle) == 1
        assert knot.node.id == next(each.id for each in nodes if each.id in circle)


def test_a_message_follows_the_nearest_before_it() -> None:
    nodes = [node("a", None), node("b", "a", message=False), node("c", "b", message=False), node("d", "c")]
    folded = messages_of(tree(nodes, {}))
    assert parents(folded) == {"a": None, "d": "a"}
    assert [knot.depth for knot in folded] == [0, 1]


def test_what_goes_on_after_a_compaction() -> None:
    nodes = [node("a", None), node("b", "a", message=False), node("c", None, "b", message=False), node("d", "c")]
    assert [knot.logical_parent for knot in tree(nodes, {})] == [None, None, "b", None]
    assert [knot.logical_parent for knot in messages_of(tree(nodes, {}))] == [None, "a"]


def test_subagents_that_start_each_other() -> None:
    nodes = [node("a", None, agent="1"), node("b", None, agent="2"), node("c", "lost", agent="2")]
    knots = tree(nodes, {"1": "b", "2": "a"})
    assert parents(knots) == {"a": None, "b": "a", "c": "a"}
    assert [knot.cycle for knot in knots] == [True, False, False]
    assert [knot.dangling for knot in knots] == [False, False, True]


def test_a_chain_of_fifty_thousand() -> None:
    """Backwards, so that each node stands before its parent: recursion would overflow."""
    nodes = [node(str(number), str(number + 1), message=number % 2 == 0) for number in range(50_000)]
    knots = tree(nodes, {})
    assert (knots[0].depth, knots[-1].depth, knots[-1].dangling) == (49_999, 0, True)
    assert messages_of(knots)[0].depth == 24_999
