"""A summary names the conversation that holds its leaf, wherever it stands; a queued prompt counts once."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

from ccod import Title
from ccod.testing.asking import conversation, messages, send
from ccod.testing.transcripts import Transcript
from tests.plugins.sql.conftest import OpenStorage
from tests.plugins.sql.test_sql_tables import select


def summary(text: str, leaf: str, rank: int = 20) -> Title:
    return Title(text, rank, leaf)


def transcripts(of: str) -> dict[str, Transcript]:
    """Return the transcripts of four conversations, whose keys and uuids end in `of`."""
    garden = Transcript(f"garden{of}").add(uuid=f"g1{of}", at=1, title=Title("typed")).add(uuid=f"g2{of}", at=2)
    forked = Transcript(f"forked{of}").add(uuid=f"g1{of}", at=1, title=Title("typed")).add(uuid=f"f1{of}", at=3)
    early = Transcript(f"early{of}").add("summary", title=summary("A garden", f"g1{of}"))
    early.add("summary", title=summary("Its own", f"e1{of}")).add(uuid=f"e1{of}", at=5, title=Title("typed"))
    later = Transcript(f"later{of}").add("summary", title=summary("A greater garden", f"g2{of}"))
    later.add("summary", title=summary("A garden", f"g1{of}")).add("summary", title=summary("A house", "nowhere"))
    later.add(uuid=f"l1{of}", at=6, title=Title("typed"))
    return {"garden": garden, "forked": forked, "early": early, "later": later}


async def test_in_whatever_order_files_come(storages: OpenStorage) -> None:
    expected = {"garden": "A greater garden", "forked": "A garden", "early": "Its own", "later": "typed"}
    async with storages() as storage:
        for number, order in enumerate(permutations(expected)):
            some = transcripts(f"-{number}")
            for name in order:
                await send(storage, some[name])
            titles = {name: (await conversation(storage, f"{name}-{number}")).title for name in expected}
            assert titles == expected, order


async def test_a_better_title_stays(storages: OpenStorage) -> None:
    async with storages() as storage:
        given = Transcript("garden").add(uuid="g1", at=1, title=Title("Given", 50))
        await send(storage, given)
        stored = await send(storage, Transcript("early").add("summary", title=summary("A garden", "g1")))
        assert (await conversation(storage, "garden")).title == "Given"
        assert stored.conversations == ["early"]


async def test_who_gets_a_name_is_told(storages: OpenStorage) -> None:
    async with storages() as storage:
        await send(storage, Transcript("garden").add(uuid="g1", at=1))
        stored = await send(storage, Transcript("early").add("summary", title=summary("A garden", "g1")))
        assert stored.conversations == ["early", "garden"]
    async with storages() as storage:
        stored = await send(storage, Transcript("fork").add(uuid="g1", at=1))
        assert stored.conversations == ["fork"]
        assert (await conversation(storage, "fork")).title == "A garden"


async def test_a_leaf_of_a_subagent_names_nobody(storages: OpenStorage) -> None:
    async with storages() as storage:
        await send(storage, Transcript("garden", "a1").add(uuid="s1", at=1))
        await send(storage, Transcript("early").add("summary", title=summary("A garden", "s1")))
        assert (await conversation(storage, "garden")).title == "garden"


async def test_a_forgotten_summary_is_gone(database: Path, storages: OpenStorage) -> None:
    async with storages() as storage:
        await send(storage, Transcript("early").add("summary", title=summary("A garden", "g1")))
        await storage.forget_conversation("early")
        assert select(database, "SELECT * FROM summaries") == []
        await send(storage, Transcript("garden").add(uuid="g1", at=1))
        assert (await conversation(storage, "garden")).title == "garden"


async def test_a_queued_prompt_counts_once(storages: OpenStorage) -> None:
    for order in ((0, 1), (1, 0)):
        async with storages() as storage:
            key = f"c{order[0]}"
            told = [("attachment", f"{key}-a"), ("user", f"{key}-b")]
            transcript = Transcript(key)
            for number in order:
                kind, uuid = told[number]
                transcript.add(kind, uuid=uuid, at=1, role="user", queued=7)
                await send(storage, transcript)
            assert len(await messages(storage, key)) == (await conversation(storage, key)).message_count == 1


async def test_the_same_words_queued_again_are_another_prompt(storages: OpenStorage) -> None:
    async with storages() as storage:
        transcript = Transcript().add("attachment", uuid="a", at=1, role="user", queued=7)
        transcript.add("attachment", uuid="b", at=2, role="user", queued=7)
        transcript.add("user", uuid="c", at=3, queued=7).add("user", uuid="d", at=4, queued=8)
        await send(storage, transcript)
        assert [message.id for message in await messages(storage)] == ["a", "b", "d"]


async def test_a_worktree_belongs_to_its_project(storages: OpenStorage) -> None:
    async with storages() as storage:
        await send(storage, Transcript("c1").add(at=1, cwd="/home/me/code/.claude/worktrees/x/src"))
        await send(storage, Transcript("c2").add(at=2, cwd="/home/me/code"))
        assert {(await conversation(storage, key)).project_name for key in ("c1", "c2")} == {"code"}
