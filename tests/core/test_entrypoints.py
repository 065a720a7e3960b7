"""Entry points are read as `importlib.metadata` reads them."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from ccod.entrypoints import EntryPoint, canonical, entry_points


@pytest.mark.parametrize("group", sorted({*importlib.metadata.entry_points().groups, "nobody's"}))
def test_what_is_installed_is_found_as_the_standard_library_finds_it(group: str) -> None:
    expected = {
        (each.name, each.value, each.dist.name, each.dist.version, tuple(each.dist.requires or ()))
        for each in importlib.metadata.entry_points(group=group)
        if each.dist is not None
    }
    found = {
        (each.name, each.value, each.dist.name, each.dist.version, tuple(each.dist.requires))
        for each in entry_points(group)
        if each.dist is not None
    }
    assert found == expected


def describe(folder: Path, name: str, version: str, points: str, *, file: str = "METADATA") -> None:
    folder.mkdir(parents=True)
    (folder / "entry_points.txt").write_text(points)
    body = "\n\nName: of the description\nRequires-Dist: nothing\n"
    (folder / file).write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: ccod>=1{body}")


def test_the_first_distribution_of_a_name_on_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = "# made by hand\n[test.other]\nno = no\n\n[test.group]\nodd = ccod.errors:CcodError.exit_code # 1\n"
    describe(tmp_path / "a" / "Odd.Name-1.dist-info", "Odd.Name", "1", points)
    describe(tmp_path / "b" / "odd_name-2.dist-info", "odd-name", "2", points)
    describe(tmp_path / "b" / "old-3.egg-info", "old", "3", "[test.group]\nold = ccod.errors\n", file="PKG-INFO")
    (tmp_path / "b" / "bare-1.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "b")
    monkeypatch.syspath_prepend(tmp_path / "a")
    monkeypatch.syspath_prepend(tmp_path / "nowhere")
    odd, old = sorted(entry_points("test.group"), key=lambda each: each.name)
    assert odd.dist is not None
    assert (odd.name, odd.dist.name, odd.dist.version, odd.dist.requires) == ("odd", "Odd.Name", "1", ["ccod>=1"])
    assert odd.load() == 1
    assert old.dist is not None
    assert (old.dist.name, old.dist.version, old.load().__name__) == ("old", "3", "ccod.errors")


def test_what_cannot_be_loaded_raises_what_an_import_does() -> None:
    with pytest.raises(ModuleNotFoundError):
        EntryPoint("x", "no_such_module").load()
    with pytest.raises(AttributeError):
        EntryPoint("x", "ccod.errors:Nobody").load()


@pytest.mark.parametrize("name", ["a-b", "A_b", "a.-_B"])
def test_names_are_compared_in_one_way(name: str) -> None:
    assert canonical(name) == "a-b"
