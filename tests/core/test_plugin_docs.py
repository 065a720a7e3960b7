"""The pages of docs/plugins say what the code does: every hook, argument, role, promise and example."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import ccod
from ccod import PluginError, roles, testing
from ccod.discovery import installed
from ccod.entrypoints import EntryPoint
from ccod.manager import Manager
from ccod.metrics import Metrics
from ccod.settings import CoreSettings, Settings
from ccod.testing import Shelf, observatory_of
from tests.guide import GUIDE, examples, pages

if not GUIDE.is_dir():
    pytest.skip("the documentation is checked on the source tree", allow_module_level=True)

ROOT = GUIDE.parents[1]
SPECS = [ROOT / "ccod" / "hookspecs.py", *sorted(ROOT.glob("plugins/*/hookspecs.py"))]
HOOKS = {
    node.name: node
    for path in SPECS
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("ccod_")
}
ROLES = [
    name
    for name, role in vars(roles).items()
    if getattr(role, "_is_protocol", False) and name not in {"Intake", "Protocol"}
]


def page_of(hook: str) -> str:
    return (GUIDE / "hooks" / f"{hook}.md").read_text()


def test_each_hook_has_a_page_and_each_page_a_hook() -> None:
    assert {path.stem for path in GUIDE.glob("hooks/*")} == set(HOOKS)
    index = (GUIDE / "README.md").read_text()
    assert set(re.findall(r"\]\(hooks/(\w+)\.md\)", index)) == set(HOOKS)
    manager = Manager()
    assert {name for plugin in manager.plugins for name in plugin.hooks} <= set(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_s_page_is_headed_by_its_signature(name: str) -> None:
    node = HOOKS[name]
    assert node.returns is not None
    signature = f"def {name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
    assert page_of(name).startswith(f"# {name}\n\n```python\n{signature}\n```\n")
    assert ast.get_docstring(node)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_s_page_tells_when_what_and_by_whom(name: str) -> None:
    page = page_of(name)
    used = ", ".join(f"`{plugin.name}`" for plugin in Manager().plugins if name in plugin.hooks)
    assert f"\n**Built-ins that answer it:** {used or 'none'}\n" in page
    assert "\n**Asked:** " in page
    table = page.partition("| Answer | What comes of it |\n|---|---|\n")[2].partition("\n\n")[0]
    assert "| An error |" in table
    assert len(table.splitlines()) >= 2


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """Load all examples beside the built-in plugins."""
    monkeypatch.syspath_prepend(tmp_path)
    found = [EntryPoint(plugin, f"ccod_{plugin}") for plugin in examples()]
    for plugin, program in examples().items():
        (tmp_path / f"ccod_{plugin}.py").write_text(program)
    manager = Manager(found=[*found, *installed()])
    manager.require()
    yield manager
    for plugin in examples():
        sys.modules.pop(f"ccod_{plugin}", None)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_s_example_answers_it(name: str, loaded: Manager) -> None:
    (plugin,) = re.findall(r"```python\n# ccod_(\w+)\.py", page_of(name))
    hooks = {each.name: each.hooks for each in loaded.plugins}
    assert name in hooks[plugin]


async def test_what_the_examples_answer_is_taken(loaded: Manager) -> None:
    schemas = loaded.schemas()
    core = CoreSettings(storage="shelf", auth="guest", cache="box", prices="flat")
    settings = Settings(core, {schema: schema() for schema in schemas.values()})
    parsers = loaded.parsers(settings)
    assert {"tick", "plain"} <= parsers.keys()
    assert loaded.prices(settings).version == "flat.1"
    storage = loaded.storage(settings, parsers)
    async with storage, loaded.auth(settings, storage) as auth, loaded.cache(settings) as cache:
        user = await auth.identify(ccod.Peer())
        assert user is not None
        assert user.id == "guest"
        await cache.put("a", b"b")
        assert await cache.get("a") == b"b"
        assert "tick" in {source.name for source in loaded.sources(settings, Metrics())}
        assert "bell" in {sink.name for sink in loaded.sinks(settings, observatory_of(storage))}
    assert loaded.redactor(settings).mask("Badge-123456") == "Badge-«redacted:badge»"
    assert "backup-room" in {finding.code for plugin, finding in loaded.checks(settings) if plugin == "room"}
    assert dict(loaded.ask("ccod_dinner_dishes", day="Monday")) == {"dinner": ["soup"]}


ASKED: dict[str, Callable[[Manager, Settings], Any]] = {
    "ccod_sources": lambda manager, settings: manager.sources(settings, Metrics()),
    "ccod_parsers": Manager.parsers,
    "ccod_redaction_rules": Manager.redactor,
    "ccod_prices": Manager.prices,
    "ccod_storage": lambda manager, settings: manager.storage(settings, {}),
    "ccod_auth": lambda manager, settings: manager.auth(settings, Shelf()),
    "ccod_cache": Manager.cache,
    "ccod_transports": lambda manager, settings: manager.transports(settings, observatory_of(Shelf())),
    "ccod_sinks": lambda manager, settings: manager.sinks(settings, observatory_of(Shelf())),
}
CHOSEN = {"ccod_prices", "ccod_storage", "ccod_auth", "ccod_cache"}


@pytest.mark.parametrize("answer", ["None", "[]", "[7]", "7", "1 / 0"])
@pytest.mark.parametrize("hook", ASKED)
def test_what_comes_of_an_answer(hook: str, answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the tables of the pages say: none of the answers here is right for a role that is played by one plugin."""
    fails = hook in CHOSEN or answer in {"[7]", "7", "1 / 0"}
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "ccod_odd.py").write_text(f"from ccod import hookimpl\n@hookimpl\ndef {hook}():\n    return {answer}\n")
    sys.modules.pop("ccod_odd", None)
    others = [found for found in installed() if found.name == "pricelist"]
    manager = Manager(found=[EntryPoint("odd", "ccod_odd"), *others])
    manager.require()
    core = msgspec.convert({hook.removeprefix("ccod_"): "odd"} if hook in CHOSEN else {}, CoreSettings)
    settings = Settings(core, {schema: schema() for schema in manager.schemas().values()})
    if fails:
        with pytest.raises(PluginError, match=f"plugin 'odd': {hook} "):
            ASKED[hook](manager, settings)
    else:
        ASKED[hook](manager, settings)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_s_page_tells_all_that_it_has(role: str) -> None:
    page = (GUIDE / "roles" / f"{role.lower()}.md").read_text()
    assert page.startswith(f"# {role}\n")
    cls = getattr(roles, role)
    own = {name for name in (*vars(cls), *cls.__annotations__) if not name.startswith("_")}
    rows = page.partition("\n| It has | ")[2].partition("\n\n")[0]
    told = {name for row in rows.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told - {"__aenter__", "__aexit__"} == own


@pytest.mark.parametrize("role", ROLES)
def test_a_role_s_page_tells_all_that_its_contract_promises(role: str) -> None:
    page = (GUIDE / "roles" / f"{role.lower()}.md").read_text()
    contract = getattr(testing, f"{role}Contract")
    promises = [*promises_of(contract)]
    told = set(re.findall(r"^\| .* \| `(test_\w+)` \|$", page, re.MULTILINE))
    if role == "Storage":
        classes = {cls.__name__ for cls in contract.__mro__ if any(name.startswith("test_") for name in vars(cls))}
        assert set(re.findall(r"^\| `(\w+Contract)` \| ", page, re.MULTILINE)) == classes
    else:
        assert told == set(promises)
    fixtures = re.search(rf"`{role}Contract` \| (.*?) \|", (GUIDE / "testing.md").read_text())
    assert fixtures
    assert set(re.findall(r"`(\w+)`", fixtures[1])) <= set(re.findall(r"`(\w+)`", page))


def promises_of(contract: type[Any]) -> Iterator[str]:
    return (name for name in dir(contract) if name.startswith("test_"))


def test_what_is_promised_to_stay_is_there() -> None:
    page = (GUIDE / "stability.md").read_text().partition("## What is not")[0]
    modules = set(re.findall(r"`(ccod_\w+\.\w+)`", page))
    for name in modules:
        importlib.import_module(name)
    from tests.core.test_imports import PUBLIC_MODULES

    assert modules >= PUBLIC_MODULES
    assert ccod.__all__
    assert testing.__all__


def test_the_source_of_the_guide_knows_its_files() -> None:
    page = (GUIDE / "roles" / "source.md").read_text()
    program = re.search(r"```python\n(from ccod_jsonl.*?)```", page, re.DOTALL)
    assert program
    names: dict[str, Any] = {}
    exec(program[1], names)
    assert names["place"](["logs", "one.jsonl"]).conversation == "one"
    assert names["place"](["one.jsonl"]) is None
    assert names["source"].name == "mine"


def test_every_page_is_reached_from_the_index() -> None:
    reached, waiting = set(), [GUIDE / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            links = re.findall(r"\]\(([^)#:]+\.md)[)#]", page.read_text())
            waiting += [path for link in links if GUIDE in (path := (page.parent / link).resolve()).parents]
    assert reached == set(pages())
