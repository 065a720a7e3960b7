"""Who may import whom: the house's floors, and the doors between plugins."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "ccod"
PLUGINS = ROOT / "plugins"
CONTRIB = ROOT / "contrib"

if not CORE.is_dir():
    pytest.skip("the import rules are checked on the source tree", allow_module_level=True)

FLOORS = (
    {"version", "checks", "errors", "heaps", "model", "users", "health", "positions", "metrics", "tracing", "limits"}
    | {"calls", "decoding", "entrypoints", "streams"},
    {"stored", "faults", "files"},
    {"events", "dump"},
    {"figures", "queries"},
    {"notify", "rights", "roles", "settings", "bus", "supervisor", "redaction", "repetition"} | {"tally", "discovery"},
    {"conversion", "log", "observatory", "progress", "local", "example", "jsonschema", "sinks", "standin"}
    | {"guarded", "lasterrors", "past", "places"},
    {"guarded_storage", "hookspecs", "layers", "mending", "reloading", "parsing", "sight", "timing"} | {"watchdog"},
    {"pipeline", "loading", "face", "configuration"},
    {"manager", "vitals"},
    {"daemon", "app", "__init__"},
    {"commands"},
    {"cli", "testing"},
    {"start"},
)
FLOOR = {module: number for number, modules in enumerate(FLOORS) for module in modules}
PUBLIC_MODULES = {
    "ccod_jsonl.tail",
    "ccod_jsonl.settings",
    "ccod_jsonl.lines",
    "ccod_sql.engine",
    "ccod_sql.settings",
    "ccod_sql.storage",
    "ccod_http.web",
    "ccod_http.client",
    "ccod_http.doors",
    "ccod_http.port",
    "ccod_http.columns",
    "ccod_http.printing",
    "ccod_rest.fields",
}
ONLY_IN = {
    "pluggy": {"ccod/hookspecs.py", "ccod/loading.py"},
    "sqlalchemy": {"plugins/ccod_sql"},
    "alembic": {"plugins/ccod_sql"},
    "psycopg": {"plugins/ccod_sql/postgres"},
    "redis": {"plugins/ccod_redis"},
    "quart": {f"plugins/ccod_{name}" for name in ("http", "jwt", "metrics", "rest", "status", "ws")},
    "quart_trio": {"plugins/ccod_http"},
    "hypercorn": {"plugins/ccod_http"},
    "prometheus_client": {"ccod/metrics.py", "ccod/loading.py", "plugins/ccod_metrics"},
    "jwt": {"plugins/ccod_jwt"},
    "bcrypt": {"plugins/ccod_jwt"},
}

DANGEROUS: dict[str, set[str]] = {
    "subprocess": {
        "ccod/commands/service.py",
        "ccod/commands/packages.py",
        "ccod/testing/daemon.py",
        "plugins/ccod_claude/demo.py",
    },
    "multiprocessing": set(),
    "pickle": set(),
    "marshal": set(),
    "shelve": set(),
    "xml": set(),
    "http.client": {"plugins/ccod_http/client.py"},
    "urllib.request": set(),
    "smtplib": set(),
    "httpx": {"ccod/testing/daemon.py", "ccod/testing/__init__.py"},
}
"""What starts programs, calls other machines or makes objects of any kind from bytes, and where alone it may be."""


def imports(path: Path) -> Iterator[str]:
    """Every module that `path` imports, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def targets(path: Path, modules: set[str]) -> Iterator[str]:
    """Those of `modules` that `path` asks for: of `from package import module` the module alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from {inner if inner in modules else str(node.module)} & modules


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def room(path: Path) -> str:
    """Return the module or package of the core to which a file belongs."""
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def module_name(path: Path) -> str:
    """Return the name by which a file of the core or of a plugin is imported."""
    folder = ROOT if path.is_relative_to(CORE) else PLUGINS
    return ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")


def test_every_room_has_a_floor() -> None:
    assert {room(path) for path in sources(CORE)} == set(FLOOR)


@pytest.mark.parametrize("path", sources(CORE), ids=lambda path: path.stem)
def test_core_imports_run_down_only(path: Path) -> None:
    for name in imports(path):
        package, _, module = name.partition(".")
        module = module.partition(".")[0]
        if package == "ccod" and module in FLOOR and module != path.parent.name:
            assert FLOOR[module] < FLOOR[room(path)], f"{path.name} must not import {name}"


def test_no_imports_go_in_a_circle() -> None:
    """Not even those within functions, nor those for types."""
    modules = {module_name(path): path for path in (*sources(CORE), *sources(PLUGINS))}
    graph = {name: {*targets(path, set(modules))} - {name} for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_core_names_no_plugin_and_no_agent() -> None:
    agents = ("claude", "codex", "anthropic")
    for path in sources(CORE):
        tree = ast.parse(path.read_text())
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            text = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                text = node.value
            if isinstance(text, str) and (path.name, text) != ("cli.py", "Keep, search and watch the history."):
                assert not any(agent in text.lower() for agent in agents), f"{path.name}: {text!r}"
        assert not any(name.startswith("ccod_") for name in imports(path)), path


def test_what_follows_files_is_of_no_agent() -> None:
    for path in sources(PLUGINS / "ccod_jsonl"):
        text = path.read_text().lower()
        assert not any(agent in text for agent in ("claude", "codex")), path


@pytest.mark.parametrize("path", sources(PLUGINS), ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_plugins_enter_by_the_face_and_the_public_modules(path: Path) -> None:
    own = path.relative_to(PLUGINS).parts[0]
    plugins = {folder.name for folder in PLUGINS.iterdir()}
    for name in imports(path):
        package, _, module = name.partition(".")
        if package == "ccod":
            assert not (CORE / f"{module.partition('.')[0]}.py").exists(), f"{path}: {name} is not the face"
        elif package in plugins and package != own:
            assert ".".join(name.split(".")[:2]) in PUBLIC_MODULES, f"{path}: {name}"


@pytest.mark.parametrize(
    "path",
    [path for package in CONTRIB.glob("*/ccod_*") for path in sources(package)],
    ids=lambda path: f"{path.parent.name}.{path.stem}",
)
def test_what_others_write_enters_by_the_same_doors(path: Path) -> None:
    own = path.relative_to(CONTRIB).parts[1]
    for name in imports(path):
        package, _, module = name.partition(".")
        if package == "ccod":
            assert not (CORE / f"{module.partition('.')[0]}.py").exists(), f"{path}: {name} is not the face"
        elif package.startswith("ccod_") and package != own:
            assert ".".join(name.split(".")[:2]) in PUBLIC_MODULES, f"{path}: {name}"


def test_some_libraries_are_used_in_one_place_only() -> None:
    for path in [*sources(CORE), *sources(PLUGINS)]:
        place = path.relative_to(ROOT).as_posix()
        for name in imports(path):
            allowed = ONLY_IN.get(name.partition(".")[0])
            assert allowed is None or any(place.startswith(prefix) for prefix in allowed), f"{place}: {name}"


def test_no_program_is_started_nobody_is_called_and_nothing_is_unpickled() -> None:
    for path in [*sources(CORE), *sources(PLUGINS)]:
        place = path.relative_to(ROOT).as_posix()
        for name in imports(path):
            for module, allowed in DANGEROUS.items():
                assert place in allowed or not f"{name}.".startswith(f"{module}."), f"{place}: {name}"


LATE = {
    *(CORE / f"{room}.py" for room in ("__init__", "entrypoints", "app", "cli", "hookspecs", "loading", "manager")),
    *CORE.glob("commands/*.py"),
    *(
        path
        for name in ("__init__", "*/__init__", "plugin", "hookspecs", "commands/*")
        for path in PLUGINS.glob(f"*/{name}.py")
    ),
}
"""What every command passes through: it imports only when it must."""


def test_no_own_module_is_imported_for_types_only() -> None:
    for path in {*sources(CORE), *sources(PLUGINS)} - LATE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                for inner in ast.walk(node):
                    if isinstance(inner, ast.ImportFrom):
                        assert not (inner.module or "").startswith("ccod"), f"{path}: {inner.module}"


def test_the_face_says_all_that_it_offers() -> None:
    import ccod.face

    names = vars(ccod.face)["__all__"]
    assert sorted(names) == sorted(set(names))
    assert all(hasattr(ccod, name) for name in names)
    for module, early in ccod.EARLY.items():
        for name in early:
            assert getattr(ccod, name) is getattr(importlib.import_module(module), name) is getattr(ccod.face, name)
