"""What the documentation says is what the code does."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccod import hookspecs
from ccod.manager import Manager
from ccod.settings import CoreSettings, fields

DOCS = Path(__file__).parents[2] / "docs"

if not DOCS.is_dir():
    pytest.skip("the documentation is checked on the source tree", allow_module_level=True)


@pytest.mark.parametrize("name", [name for name in vars(hookspecs) if name.startswith("ccod_")])
def test_every_hook_is_documented_with_its_arguments(name: str) -> None:
    arguments = ", ".join(inspect.signature(getattr(hookspecs, name)).parameters)
    assert f"`{name}({arguments})`" in (DOCS / "plugins.md").read_text()


def test_every_hook_and_setting_says_what_it_is() -> None:
    for name, function in vars(hookspecs).items():
        assert not name.startswith("ccod_") or function.__doc__, name
    classes: dict[str, type[msgspec.Struct]] = {"": CoreSettings, **Manager().schemas()}
    for table, schema in classes.items():
        for field in fields(schema, (table,)):
            assert field.description.endswith("."), field.name


def test_the_plugin_of_the_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    program = re.search(r"```python\n(.*?)```", (DOCS / "plugins.md").read_text(), re.DOTALL)
    assert program
    (tmp_path / "ccod_tick_guide.py").write_text(program[1])
    monkeypatch.syspath_prepend(tmp_path)
    manager = Manager(found=[EntryPoint("tick", "ccod_tick_guide", "ccod")])
    manager.require()
    assert manager.plugins[0].hooks == ["ccod_parsers", "ccod_settings", "ccod_sources"]


def test_the_source_of_the_guide_knows_its_files(tmp_path: Path) -> None:
    program = re.search(r"```python\n(from ccod_jsonl.*?)```", (DOCS / "plugins.md").read_text(), re.DOTALL)
    assert program
    names: dict[str, Any] = {}
    exec(program[1], names)
    assert names["place"](["logs", "one.jsonl"]).conversation == "one"
    assert names["place"](["one.jsonl"]) is None
    assert names["source"].name == "mine"


def test_links_between_pages_lead_somewhere() -> None:
    for page in [DOCS.parent / "README.md", *DOCS.glob("**/*.md"), *DOCS.parent.glob("contrib/**/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_error_code_is_documented() -> None:
    told = (DOCS / "api.md").read_text()
    codes = {code for path in (DOCS.parent / "plugins").rglob("*.py") for code in codes_of(path)}
    assert len(codes) > 15
    assert {code for code in codes if f"`{code}`" not in told} == set()


def codes_of(path: Path) -> Iterator[str]:
    """Yield the codes that a module raises in errors."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Problem", "RefusedError"}:
            for value in node.args[:2]:
                if isinstance(value, ast.Constant) and re.fullmatch(r"[A-Z]+(_[A-Z]+)*", str(value.value)):
                    yield str(value.value)
