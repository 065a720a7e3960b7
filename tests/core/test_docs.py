"""What the documentation says is what the code does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ccod import hookspecs
from ccod.manager import Manager
from ccod.settings import CoreSettings, fields

DOCS = Path(__file__).parents[2] / "docs"

if not DOCS.is_dir():
    pytest.skip("the documentation is checked on the source tree", allow_module_level=True)


def test_every_hook_and_setting_says_what_it_is() -> None:
    for name, function in vars(hookspecs).items():
        assert not name.startswith("ccod_") or function.__doc__, name
    classes: dict[str, type[msgspec.Struct]] = {"": CoreSettings, **Manager().schemas()}
    for table, schema in classes.items():
        for field in fields(schema, (table,)):
            assert field.description.endswith("."), field.name


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
