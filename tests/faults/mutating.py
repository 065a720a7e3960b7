"""Small changes of a source, each of which some test should notice. What no behaviour hangs on is left as it is.

Left alone are types, docstrings, asserts, what is logged, texts for people (a string with a space in it), the
keywords of a class, decorators, and numbers that only say how large a portion or how long a pause is. So are the
defaults of settings: the example file is made of them, and held true by tests/core/test_cli.py.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

from msgspec import Struct

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
COMMUTATIVE = {"min", "max", "where", "group_by", "and_", "or_"}
SIZES = re.compile(r"_*[A-Z_0-9]*(SECONDS|BYTES|PORTION|MOST|SIZE|PAUSE|HEAD|TAIL|LIMIT|MAX|WAIT|SLACK|COST)[A-Z_0-9]*")
UNSEEN = {"__all__", "__slots__"}
LOGS = re.compile(r"_?(\w+_)?log(ger|ging)?|structlog|warnings")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Mutant(Struct, frozen=True):
    """The n-th change of a file; `function` is the line on which the function begins that it stands in, 0 for none."""

    path: Path
    number: int
    line: int
    function: int
    old: str
    new: str

    def code(self) -> CodeType:
        """Return the changed source, compiled."""
        tree = ast.parse(self.path.read_text())
        change = next(change for number, change in enumerate(changes(tree)) if number == self.number)
        change.make()
        return compile(ast.fix_missing_locations(tree), str(self.path), "exec", dont_inherit=True)


class Change(Struct):
    """What could be changed in a tree; `make` does it."""

    line: int
    function: int
    old: str
    new: str
    make: Callable[[], None]


def mutants_of(path: Path) -> list[Mutant]:
    tree = ast.parse(path.read_text())
    return [
        Mutant(path, number, each.line, each.function, each.old, each.new) for number, each in enumerate(changes(tree))
    ]


def changes(tree: ast.AST) -> Iterator[Change]:
    """Yield every change of a tree, always in the same order."""
    yield from _within(tree, 0)


def _within(node: ast.AST, function: int) -> Iterator[Change]:
    """Yield what can be changed below a node."""
    inner = _start(node) if isinstance(node, FUNCTIONS) else function
    for name, value in ast.iter_fields(node):
        if _is_left_alone(node, name):
            continue
        at = function if name == "args" else inner  # defaults are worked out where the function is defined
        if isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield from _of(child, at, partial(value.__setitem__, index))
        elif isinstance(value, ast.AST):
            put = partial(setattr, node, name)
            if name == "test" and isinstance(value, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr):
                yield _change(value, ast.UnaryOp(ast.Not(), value), at, put)
            yield from _of(value, at, put)


def _of(node: ast.AST, function: int, put: Callable[[Any], None]) -> Iterator[Change]:
    """Yield what can be put in the place of a node, and then what can be changed below it."""
    if _is_unseen(node):
        return
    for new in _instead(node):
        yield _change(node, new, function, put)
    yield from _within(node, function)


def _change(old: ast.AST, new: ast.AST, function: int, put: Callable[[Any], None]) -> Change:
    make = partial(put, ast.copy_location(new, old))
    return Change(getattr(old, "lineno", 0), function, _short(ast.unparse(old)), _short(ast.unparse(new)), make)


def _start(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 90 else f"{text[:87]}..."


def _is_left_alone(node: ast.AST, field: str) -> bool:
    return (
        field in {"annotation", "returns", "decorator_list", "type_comment", "op", "ops", "ctx"}
        or (isinstance(node, ast.ClassDef) and field in {"bases", "keywords"})
        or (isinstance(node, ast.FormattedValue) and field in {"conversion", "format_spec"})
        or (isinstance(node, ast.JoinedStr) and " " in ast.unparse(ast.JoinedStr(_texts(node))))
    )


def _texts(node: ast.JoinedStr) -> list[ast.expr]:
    return [value for value in node.values if isinstance(value, ast.Constant)]


def _is_unseen(node: ast.AST) -> bool:
    """Tell whether no behaviour hangs on a statement or an expression."""
    match node:
        case (
            (ast.Assert() | ast.Import() | ast.ImportFrom() | ast.Global() | ast.Nonlocal())
            | ast.Expr(value=ast.Constant())
            | ast.Subscript(value=ast.Name(id="Literal"))
            | ast.BinOp(op=ast.BitOr(), right=ast.Constant(None))  # a type, of what may be missing
            | ast.Call(func=ast.Name(id="cast" | "TypeVar"))
            | ast.keyword(arg="maxsize")
        ):
            return True
        case ast.AnnAssign(annotation=ast.Subscript() as kind) if "setting(" in ast.unparse(kind):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name in UNSEEN or SIZES.fullmatch(name) is not None
        case ast.Expr(value=ast.Call() as call) | (ast.Call() as call):
            return LOGS.fullmatch(ast.unparse(call.func).partition(".")[0]) is not None
        case _:
            return False


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what could stand in the place of a node."""
    match node:
        case ast.Compare():
            yield from _compared(node)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
        case ast.AugAssign() if type(node.op) in ARITHMETIC:
            yield ast.AugAssign(node.target, ARITHMETIC[type(node.op)](), node.value)
            yield ast.Pass()
        case ast.Constant():
            yield from _constants(node.value)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Raise() | ast.Delete():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.Call(args=[first, second, *rest]) if _is_ordered(node):
            yield ast.Call(node.func, [second, first, *rest], node.keywords)


def _compared(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        ops = [*node.ops[:index], COMPARISONS[type(operator)](), *node.ops[index + 1 :]]
        yield ast.Compare(node.left, ops, node.comparators)


def _constants(value: object) -> Iterator[ast.AST]:
    match value:
        case bool():
            yield ast.Constant(not value)
        case int() | float():
            yield ast.Constant(value + 1)
        case str() if value and not re.search(r"\s", value):
            yield ast.Constant(f"XX{value}")
        case bytes() if value and b" " not in value:
            yield ast.Constant(b"XX" + value)


def _is_ordered(node: ast.Call) -> bool:
    """Tell whether it matters which of the first two arguments comes first."""
    first, second = node.args[:2]
    if isinstance(first, ast.Starred) or isinstance(second, ast.Starred) or ast.dump(first) == ast.dump(second):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name not in COMMUTATIVE
