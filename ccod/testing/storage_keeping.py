"""What a storage keeps for other plugins."""

from __future__ import annotations

from ccod.testing.asking import Storages


class KeepingContract:
    async def test_what_a_plugin_keeps_outlives_the_process(self, storages: Storages) -> None:
        async with storages() as storage:
            assert await storage.kept("plugin") == {}
            await storage.keep("plugin", {"a": b"1", "b": b"\0\xff", "": b""})
            await storage.keep("another", {"a": b"other"})
        async with storages() as storage:
            assert await storage.kept("plugin") == {"a": b"1", "b": b"\0\xff", "": b""}
            assert await storage.kept("another") == {"a": b"other"}

    async def test_what_is_kept_is_replaced_and_removed_together(self, storages: Storages) -> None:
        async with storages() as storage:
            await storage.keep("plugin", {"a": b"1", "b": b"2", "c": b"3"})
            await storage.keep("plugin", {"a": b"new", "b": None, "nobody": None})
            assert await storage.kept("plugin") == {"a": b"new", "c": b"3"}
            await storage.keep("plugin", {})
            assert await storage.kept("plugin") == {"a": b"new", "c": b"3"}

    async def test_there_is_a_folder_for_files_of_other_plugins(self, storages: Storages) -> None:
        async with storages() as storage:
            assert storage.folder.is_dir()
