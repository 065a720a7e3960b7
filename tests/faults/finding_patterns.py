"""Every regular expression that stands in the source, by the calls that make or use one, and those made at run time."""

from __future__ import annotations

import ast
import builtins
import importlib
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from types import CodeType
from typing import Any

import msgspec
from msgspec import Struct

from ccod import Redactor
from ccod_prices.table import Table
from ccod_redact.rules import RULES
from ccod_rest.snippets import _pattern

ROOT = Path(__file__).parents[2]
FOLDERS = ("ccod", "plugins", "contrib")
ONCE = {"match", "fullmatch"}
CALLS = {"compile", "search", "sub", "subn", "split", "findall", "finditer"} | ONCE
SAMPLE = 7
"""Stands in a pattern for what is known at run time only."""
MADE_AT_RUN_TIME = {"ccod/redaction.py", "plugins/ccod_prices/table.py", "plugins/ccod_rest/snippets.py"}
"""Where patterns are made of what comes from elsewhere; `made_at_run_time` makes them."""


class Pattern(Struct, frozen=True):
    """A regular expression, where it stands, and by which method it is used."""

    where: str
    compiled: Any
    method: str = "sub"


class Names(dict[str, Any]):
    """The names of a module; others are known at run time only."""

    def __missing__(self, name: str) -> int:
        if hasattr(builtins, name):
            raise KeyError(name)
        return SAMPLE


def made_at_run_time() -> Iterator[Pattern]:
    for rule in RULES:
        yield Pattern(f"the secret {rule.kind}", re.compile(rule.pattern))
    yield Pattern("the beginnings of secrets", Redactor(RULES)._begin)
    yield Pattern("the words of a search", _pattern(["a", "a a a", "A0 a"]))
    raw = files("ccod_prices").joinpath("prices.json").read_bytes()
    for model in msgspec.json.decode(raw, type=Table).models:
        yield Pattern(f"the price of {model.id}", re.compile(model.pattern), "fullmatch")


def in_source(unread: list[str]) -> Iterator[Pattern]:
    """Yield the patterns of all modules but tests; calls of which none is known are `unread`."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"tests", "build", ".venv"} & set(path.parts) and not path.name.startswith("test_"):
                yield from _in_module(path, unread)


def _in_module(path: Path, unread: list[str]) -> Iterator[Pattern]:
    tree, name = ast.parse(path.read_text()), str(path.relative_to(ROOT))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = _names(path) if any(map(_asked, calls)) else Names()
    for call in calls:
        if (asked := _asked(call)) is None:
            continue
        given, method = asked
        try:
            text = eval(_code(given), dict(names), names)
            flags = next((eval(_code(flag), dict(names), names) for flag in _flags(call)), 0)
            compiled = re.compile(text, flags)
        except Exception as error:  # noqa: BLE001 - whatever it is, the pattern is not known
            if name not in MADE_AT_RUN_TIME:
                unread.append(f"{name}:{call.lineno}: {ast.unparse(call)[:100]}: {error}")
            continue
        yield Pattern(f"{name}:{call.lineno}", compiled, _method(call, tree) if method == "compile" else method)


def _asked(call: ast.Call) -> tuple[ast.expr, str] | None:
    """Return the expression of a pattern and the function it is given to."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="re"), attr=method) if method in CALLS and call.args:
            return call.args[0], method
        case ast.Name(id="Meta"):
            return next(((each.value, "search") for each in call.keywords if each.arg == "pattern"), None)
        case ast.Name(id="SecretRule") if len(call.args) > 1:
            return None  # the rules are taken as they are
    return None


def _flags(call: ast.Call) -> Iterator[ast.expr]:
    for each in [*call.args[1:], *(keyword.value for keyword in call.keywords)]:
        if re.match(r"re\.[A-Z]+", ast.unparse(each)):
            yield each


def _method(call: ast.Call, tree: ast.Module) -> str:
    """Return by which method a compiled pattern is used: one that looks at one place only where no other is."""
    names = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and node.value is call
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names
    }
    return "fullmatch" if used and used <= ONCE else "sub"


def _names(path: Path) -> Names:
    """Return the names of a module that can be imported here, or none."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = ".".join(parts[{"ccod": 0, "plugins": 1, "contrib": 2}[parts[0]] :]).removesuffix(".__init__")
    if not module:
        return Names(re=re)
    try:
        found: Mapping[str, Any] = vars(importlib.import_module(module))
    except ImportError:
        return Names(re=re)
    return Names(found)


def _code(expression: ast.expr) -> CodeType:
    return compile(ast.Expression(expression), "<pattern>", "eval")
