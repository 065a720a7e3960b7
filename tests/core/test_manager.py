"""Plugins are found, asked and blamed by name."""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from ccod.app import App, Group
from ccod.cli import Cli
from ccod.configuration import Configuration
from ccod.discovery import PluginFile, installed, strangers
from ccod.entrypoints import Distribution, EntryPoint
from ccod.errors import ConfigError, PluginError
from ccod.guarded import GuardedCache, NoPrices
from ccod.limits import LIMITS
from ccod.manager import Manager
from ccod.metrics import Metrics
from ccod.settings import Settings
from tests.plugins.metrics.scraping import read


@pytest.fixture
def plugin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def offer(folder: Path, name: str, body: str) -> EntryPoint:
    module = f"offered_{name}_{folder.name.replace('-', '_')}"
    (folder / f"{module}.py").write_text(f"from ccod import hookimpl, hookspec\n{body}")
    sys.modules.pop(module, None)
    return EntryPoint(name, module)


def settings(tmp_path: Path, toml: str = "") -> Settings:
    file = tmp_path / "c.toml"
    file.write_text(toml)
    return Configuration(file, {}).settings({})


def test_what_is_loaded_is_listed(plugin_folder: Path) -> None:
    entry = offer(plugin_folder, "tick", "@hookimpl\ndef ccod_sources(settings):\n    return []\n")
    manager = Manager(found=[entry])
    manager.require()
    (plugin,) = manager.plugins
    assert (plugin.name, plugin.state, plugin.hooks) == ("tick", "loaded", ["ccod_sources"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import no_such_module", r"plugin 'bad': cannot be imported .*no_such_module.*disable = \[\"bad\"\]"),
        ("raise ValueError('at import')", r"plugin 'bad': cannot be imported .*at import"),
        ("def f(:", r"plugin 'bad': cannot be imported .*SyntaxError"),
        (
            "@hookimpl\ndef ccod_sorces(settings): ...",
            r"plugin 'bad': no hook is called 'ccod_sorces'; .*'ccod_sources'",
        ),
        ("@hookimpl\ndef ccod_sources(settigns): ...", r"plugin 'bad': .*settigns"),
        ("@hookimpl\ndef ccod_add_hooks(manager): 1/0", r"plugin 'bad': ccod_add_hooks failed: ZeroDivisionError"),
    ],
)
def test_a_bad_plugin_is_named_with_its_remedy(plugin_folder: Path, body: str, message: str) -> None:
    good = offer(plugin_folder, "good", "@hookimpl\ndef ccod_sources(settings):\n    return ['seen']\n")
    manager = Manager(found=[offer(plugin_folder, "bad", body), good])
    with pytest.raises(PluginError, match=message):
        manager.require()
    states = {plugin.name: plugin.state for plugin in manager.plugins}
    assert states == {"bad": "failed", "good": "loaded"}
    assert manager.ask("ccod_sources", settings=None, metrics=Metrics()) == [("good", ["seen"])]


def test_a_name_offered_twice_is_an_error(plugin_folder: Path) -> None:
    entries = [offer(plugin_folder, "one", ""), EntryPoint("one", "other")]
    with pytest.raises(PluginError, match="plugin 'one': two distributions or files offer it"):
        Manager(found=entries).require()


def test_a_disabled_plugin_is_not_even_imported(plugin_folder: Path) -> None:
    manager = Manager(disable=["bad"], found=[offer(plugin_folder, "bad", "raise SystemExit")])
    manager.require()
    assert manager.plugins[0].state == "disabled"


def test_an_exclusive_role_goes_to_the_plugin_that_is_named(plugin_folder: Path, tmp_path: Path) -> None:
    entries = [
        offer(
            plugin_folder,
            name,
            f"class S:\n    name = {name!r}\n    append = checkpoints = maintain = __aenter__ = __aexit__ = None\n"
            "@hookimpl\ndef ccod_storage(settings):\n    return S()\n",
        )
        for name in ("a", "b")
    ]
    prices = "class P:\n    version = cost = ''\n@hookimpl\ndef ccod_prices(settings):\n    return P()\n"
    entries.append(offer(plugin_folder, "pricelist", prices))
    manager = Manager(found=entries)
    chosen: Any = manager.storage(settings(tmp_path, 'storage = "b"'), {})
    assert chosen.name == "b"
    with pytest.raises(ConfigError, match=r"storage: no plugin 'c' can play this; choose from: a, b"):
        manager.storage(settings(tmp_path, 'storage = "c"'), {})


def test_two_parsers_of_one_format_are_an_error(plugin_folder: Path, tmp_path: Path) -> None:
    parser = "class P:\n    format = version = 'x'\n    parse = content = None\n"
    body = f"{parser}@hookimpl\ndef ccod_parsers(settings):\n    return [P()]\n"
    manager = Manager(found=[offer(plugin_folder, "a", body), offer(plugin_folder, "b", body)])
    with pytest.raises(PluginError, match="a parser of 'x' is there already"):
        manager.parsers(settings(tmp_path))


def test_two_sinks_of_one_name_are_an_error(plugin_folder: Path, tmp_path: Path) -> None:
    sink = "class S:\n    name = 'x'\n    deliver = __aenter__ = __aexit__ = None\n"
    body = f"{sink}@hookimpl\ndef ccod_sinks():\n    return [S()]\n"
    manager = Manager(found=[offer(plugin_folder, "a", body), offer(plugin_folder, "b", body)])
    observatory: Any = None
    with pytest.raises(PluginError, match=r"plugin '.': a sink called 'x' is there already"):
        manager.sinks(settings(tmp_path), observatory)


def test_a_hook_that_raises_bears_its_plugin_s_name(plugin_folder: Path, tmp_path: Path) -> None:
    manager = Manager(found=[offer(plugin_folder, "bad", "@hookimpl\ndef ccod_sources(settings):\n    1/0\n")])
    with pytest.raises(PluginError, match=r"plugin 'bad': ccod_sources failed: ZeroDivisionError"):
        manager.sources(settings(tmp_path), Metrics())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 5", "ccod_sources must answer with an iterable, not int"),
        ("return [None]", "ccod_sources must answer with things with name, run, roots, not NoneType"),
        ("yield 1/0", "ccod_sources failed: ZeroDivisionError"),
    ],
)
def test_a_wrong_answer_bears_its_plugin_s_name(plugin_folder: Path, tmp_path: Path, body: str, message: str) -> None:
    manager = Manager(found=[offer(plugin_folder, "bad", f"@hookimpl\ndef ccod_sources(settings):\n    {body}\n")])
    with pytest.raises(PluginError, match=f"plugin 'bad': {message}"):
        manager.sources(settings(tmp_path), Metrics())


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("bad", "5", "must answer with a subclass of msgspec.Struct"),
        ("log", "Empty", "the core has a setting of that name"),
    ],
)
def test_a_wrong_settings_class_is_an_error(plugin_folder: Path, name: str, answer: str, message: str) -> None:
    body = f"import msgspec\nclass Empty(msgspec.Struct): ...\n@hookimpl\ndef ccod_settings():\n    return {answer}\n"
    with pytest.raises(PluginError, match=f"plugin '{name}': .*{message}"):
        Manager(found=[offer(plugin_folder, name, body)]).require()


def test_a_plugin_that_exits_on_import_is_named(plugin_folder: Path) -> None:
    with pytest.raises(PluginError, match=r"plugin 'bad': cannot be imported .*SystemExit"):
        Manager(found=[offer(plugin_folder, "bad", "raise SystemExit(3)")]).require()


def test_a_name_in_disable_that_no_plugin_has_is_an_error(plugin_folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"disable: no plugin is called 'tock'; did you mean 'tick'\?"):
        Manager(disable=["tock"], found=[offer(plugin_folder, "tick", "")]).require()


def test_plugins_may_add_hooks_and_ask_them(plugin_folder: Path) -> None:
    asking = offer(
        plugin_folder,
        "asking",
        "class Specs:\n    @hookspec\n    def ccod_colours(self): ...\n"
        "@hookimpl\ndef ccod_add_hooks(manager):\n    manager.add_hookspecs(Specs)\n",
    )
    answering = offer(plugin_folder, "answering", "@hookimpl\ndef ccod_colours():\n    return ['red']\n")
    manager = Manager(found=[answering, asking])
    manager.require()
    assert manager.ask("ccod_colours") == [("answering", ["red"])]


def test_an_optional_hook_may_have_nobody_who_specifies_it(plugin_folder: Path) -> None:
    body = "@hookimpl(optionalhook=True)\ndef ccod_colours():\n    return ['red']\n"
    manager = Manager(found=[offer(plugin_folder, "answering", body)])
    manager.require()
    assert [(plugin.name, plugin.error) for plugin in manager.plugins] == [("answering", "")]


def test_built_ins_come_through_the_same_door() -> None:
    manager = Manager()
    manager.require()
    assert {"claude", "http", "jwt", "rest", "sqlite", "ws"} <= {plugin.name for plugin in manager.plugins}
    assert all(issubclass(schema, msgspec.Struct) for schema in manager.schemas().values())


def test_it_is_measured_how_long_plugins_take_to_answer(plugin_folder: Path, tmp_path: Path) -> None:
    lazy = "import time\n\n\n@hookimpl\ndef ccod_sources(settings):\n    time.sleep(0.02)\n    yield from ()\n"
    bad = "@hookimpl\ndef ccod_parsers(settings):\n    1/0\n"
    manager = Manager(found=[offer(plugin_folder, "lazy", lazy), offer(plugin_folder, "bad", bad)])
    manager.metrics = Metrics()
    manager.sources(settings(tmp_path), manager.metrics)
    with pytest.raises(PluginError):
        manager.parsers(settings(tmp_path))
    found = read(manager.metrics)
    took = "ccod_plugin_hook_duration_seconds"
    assert found.sum(f"{took}_count", hook="ccod_sources", plugin="lazy") == 1
    assert found.sum(f"{took}_sum", hook="ccod_sources", plugin="lazy") >= 0.02
    assert found.sum("ccod_plugin_errors_total", plugin="bad") == 1


DEPRECATING = """
class Specs:
    @hookspec(warn_on_impl=DeprecationWarning("answer ccod_hues instead; gone in 2.0"))
    def ccod_colours(self): ...
    @hookspec(warn_on_impl_args={"shade": DeprecationWarning("it is always 1")})
    def ccod_hues(self, colour, shade): ...
@hookimpl
def ccod_add_hooks(manager):
    manager.add_hookspecs(Specs)
"""


def test_who_answers_a_deprecated_hook_is_named_and_works(
    plugin_folder: Path, recwarn: pytest.WarningsRecorder
) -> None:
    old = "@hookimpl\ndef ccod_colours():\n    return ['red']\n@hookimpl\ndef ccod_hues(colour, shade): ...\n"
    new = "@hookimpl\ndef ccod_hues(colour):\n    return [colour]\n"
    bodies = {"asking": DEPRECATING, "new": new, "old": old}
    manager = Manager(found=[offer(plugin_folder, name, body) for name, body in bodies.items()])
    manager.require()
    assert [*manager.deprecated()] == [
        ("old", "ccod_colours is deprecated: answer ccod_hues instead; gone in 2.0"),
        ("old", "ccod_hues(shade) is deprecated: it is always 1"),
    ]
    assert manager.ask("ccod_colours") == [("old", ["red"])]
    assert not recwarn.list


def test_a_redaction_rule_that_is_none_bears_its_plugin_s_name(plugin_folder: Path, tmp_path: Path) -> None:
    for answer in ("7", "['sk-']"):
        body = f"@hookimpl\ndef ccod_redaction_rules():\n    return {answer}\n"
        manager = Manager(found=[offer(plugin_folder, "bad", body)])
        with pytest.raises(PluginError, match="plugin 'bad': ccod_redaction_rules must answer with"):
            manager.redactor(settings(tmp_path))


LATER = """
@hookimpl
def ccod_commands(cli, settings):
    import click
    cli.add_later("works", lambda: click.Command("works", help="It works."))
    cli.add_later("fails", lambda: 1 / 0)
"""


def test_a_command_is_made_when_it_is_wanted_and_who_cannot_is_named(plugin_folder: Path) -> None:
    manager = Manager(found=[offer(plugin_folder, "odd", LATER)])
    cli = Group("ccod")
    assert manager.add_commands(cli, lambda: settings(plugin_folder)) == []
    context = click.Context(cli)
    assert (cli.list_commands(context), cli.commands) == (["fails", "works"], {})
    made = cli.get_command(context, "works")
    assert made is not None
    assert [option.name for option in made.params] == ["config", "set", "plugins_dir"]
    assert cli.get_command(context, "works") is made
    with pytest.raises(PluginError, match="plugin 'odd': ccod_commands failed: ZeroDivisionError"):
        cli.get_command(context, "fails")


def test_who_blocked_the_daemon_is_not_even_imported(plugin_folder: Path, tmp_path: Path) -> None:
    body = "raise AssertionError\n"
    manager = Manager(found=[offer(plugin_folder, "bad", body)], left_out={"bad": "it stopped the daemon"})
    manager.require()
    (plugin,) = manager.plugins
    assert (plugin.state, plugin.error, manager.absent) == ("failed", "it stopped the daemon", ["bad"])
    manager.contain()
    with pytest.raises(PluginError, match=r"it stopped the daemon; ccod plugins allow bad, or choose another: storage"):
        manager.require_roles(settings(tmp_path, 'storage = "bad"\nauth = "bad"\nprices = "bad"'))


def test_whoever_takes_a_name_of_ccod_s_own_is_named_and_left_out(plugin_folder: Path) -> None:
    manager = Manager(found=[*installed(), offer(plugin_folder, "rest", "")])
    manager.contain()
    assert [plugin.state for plugin in manager.plugins if plugin.name == "rest"] == ["loaded", "failed"]


def test_whatever_a_hook_raises_bears_its_plugin_s_name(plugin_folder: Path, tmp_path: Path) -> None:
    body = "@hookimpl\ndef ccod_sources(settings):\n    raise BaseExceptionGroup('all', [GeneratorExit()])\n"
    manager = Manager(found=[offer(plugin_folder, "bad", body)])
    with pytest.raises(PluginError, match="plugin 'bad': ccod_sources failed: GeneratorExit"):
        manager.sources(settings(tmp_path), Metrics())


def test_the_place_of_a_plugin_is_found_without_importing_it(plugin_folder: Path) -> None:
    for file in ("nobody/inner/__init__.py", "nobody/inner/deep.py", "whole/__init__.py", "whole/deep.py", "one.py"):
        path = plugin_folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("raise AssertionError\n")
    (plugin_folder / "described.dist-info").mkdir()
    (plugin_folder / "described.dist-info" / "METADATA").write_text("Name: described\nVersion: 3\n")
    (plugin_folder / "empty").mkdir()
    names = ("nobody.inner.deep", "whole.deep", "one", "gone", "empty")
    lines = "".join(f"{name.partition('.')[0]} = {name}\n" for name in names)
    (plugin_folder / "described.dist-info" / "entry_points.txt").write_text(f"[ccod]\n{lines}")
    (described,) = distributions(name="described", path=[str(plugin_folder)])
    places = {each.name: each.place for each in strangers([*described.entry_points])}
    assert places == {
        "nobody": str(plugin_folder / "nobody" / "inner"),
        "whole": str(plugin_folder / "whole"),
        "one": str(plugin_folder / "one.py"),
        "gone": "gone",
        "empty": "empty",
    }


def test_who_answers_with_what_has_no_end_is_named(plugin_folder: Path) -> None:
    body = (
        "from itertools import repeat\nclass Endless:\n    def __iter__(self):\n        return repeat(None)\n"
        "class Specs:\n    @hookspec\n    def ccod_bad_things(self): ...\n"
        "@hookimpl\ndef ccod_add_hooks(manager):\n    manager.add_hookspecs(Specs)\n"
        "@hookimpl\ndef ccod_bad_things():\n    return Endless()\n"
    )
    manager = Manager(found=[offer(plugin_folder, "bad", body)])
    with pytest.raises(PluginError, match="plugin 'bad': ccod_bad_things failed: ValueError: more than 1000 answers"):
        manager.ask("ccod_bad_things")


def test_who_offers_a_redaction_rule_that_is_slow_is_named(plugin_folder: Path, tmp_path: Path) -> None:
    body = (
        "from ccod import SecretRule\n@hookimpl\ndef ccod_redaction_rules():\n"
        "    yield SecretRule('odd', 'acme-[0-9]+', words=['acme-'])\n"
    )
    manager = Manager(found=[*installed(), offer(plugin_folder, "bad", body)])
    manager.contain()
    redactor = manager.redactor(settings(tmp_path))
    patience, LIMITS.mask = LIMITS.mask, 0.0
    try:
        assert [redactor.mask("acme-1") for _ in range(2)] == ["«redacted:odd»", "«withheld:odd»"]
    finally:
        LIMITS.mask = patience
    errors = {plugin.name: plugin.error for plugin in manager.plugins}
    assert errors.pop("bad").startswith("redaction rule odd: it computed for ")
    assert not any(errors.values())


def test_who_is_left_out_costs_no_price_and_no_cache(plugin_folder: Path, tmp_path: Path) -> None:
    """Chosen plugins that once blocked the daemon are done without, where that can be."""
    manager = Manager(found=[], left_out={"bell": "it stopped the daemon"})
    chosen = settings(tmp_path, "prices = 'bell'\ncache = 'bell'\nstorage = 'bell'\n")
    assert isinstance(manager.prices(chosen), NoPrices)
    assert isinstance(manager.cache(chosen), GuardedCache)  # of nothing: the plugin is not asked
    with pytest.raises(PluginError, match="it stopped the daemon; ccod plugins allow bell, or choose another: storage"):
        manager.require_roles(chosen)


def test_the_parser_of_a_format_is_named_for_what_others_found_wrong(plugin_folder: Path, tmp_path: Path) -> None:
    body = (
        "class It:\n    format, version, parse, content = 'odd', '1', None, None\n"
        "@hookimpl\ndef ccod_parsers(settings): return [It()]\n"
    )
    manager = Manager(found=[offer(plugin_folder, "odd", body)])
    manager.parsers(settings(tmp_path))
    manager.note_parser("odd", "no such time")
    manager.note_parser("nobody's", "no such time")
    assert manager.plugins[0].error == "parser odd: no such time"


def test_a_service_whose_name_is_no_text_is_refused(plugin_folder: Path, tmp_path: Path) -> None:
    body = "class It:\n    name, run, roots = 5, None, ()\n@hookimpl\ndef ccod_sources(settings): return [It()]\n"
    manager = Manager(found=[offer(plugin_folder, "odd", body)])
    with pytest.raises(PluginError, match="a source whose name is a text"):
        manager.sources(settings(tmp_path), Metrics())


def test_what_a_plugin_of_ccod_s_own_refuses_is_raised_as_it_is(plugin_folder: Path) -> None:
    body = "from ccod import ConfigError\n@hookimpl\ndef ccod_sources(settings): raise ConfigError('no root')\n"
    with pytest.raises(ConfigError, match="no root"):
        Manager(found=[offer(plugin_folder, "odd", body)]).ask("ccod_sources", settings=None, metrics=Metrics())


@pytest.mark.parametrize("moment", ["import", "hook"])
def test_who_presses_control_c_meanwhile_is_heard(plugin_folder: Path, moment: str) -> None:
    pressing = "import os, signal\n{}os.kill(os.getpid(), signal.SIGINT)\n"
    hook = "@hookimpl\ndef ccod_sources(settings):\n    "
    entry = offer(plugin_folder, "odd", pressing.format("" if moment == "import" else hook))
    with pytest.raises(KeyboardInterrupt):
        Manager(found=[entry]).ask("ccod_sources", settings=None, metrics=Metrics())


def own(folder: Path, name: str, body: str) -> EntryPoint:
    """Return a plugin of ccod's own."""
    described = folder / "ccod-1.dist-info"
    described.mkdir(exist_ok=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: ccod\nVersion: 1\n")
    return EntryPoint(name, offer(folder, name, body).value, Distribution(str(described)))


def test_one_of_ccod_s_own_that_cannot_be_loaded_is_no_stranger_s_fault(plugin_folder: Path, tmp_path: Path) -> None:
    manager = Manager(found=[own(plugin_folder, "bell", "1 / 0")])
    with pytest.raises(PluginError, match="plugin 'bell': cannot be imported"):
        manager.contain()
    with pytest.raises(PluginError, match="plugin 'bell': cannot be imported"):
        manager.require_roles(settings(tmp_path, "storage = 'bell'\n"))
    assert "it is one of ccod's own" in manager.without("bell", settings(tmp_path).core)


class Failing(App):
    """The plugins are these."""

    def __init__(self, found: list[EntryPoint]) -> None:
        super().__init__()
        self.found = found

    def manager(self) -> Manager:
        return Manager(found=[*self.found])


@pytest.mark.parametrize("adding", ["1 / 0", "cli.add_later('ring', lambda: 1 / 0)"])
def test_a_command_of_ccod_s_own_that_fails_is_no_unknown_one(plugin_folder: Path, adding: str) -> None:
    bell = own(plugin_folder, "bell", f"@hookimpl\ndef ccod_commands(cli, settings): {adding}\n")
    with pytest.raises(PluginError, match="plugin 'bell': ccod_commands failed: ZeroDivisionError"):
        Cli("ccod").main(["ring"], standalone_mode=False, obj=Failing([bell]))


def test_a_stranger_s_command_that_fails_leaves_the_others(
    plugin_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bell = offer(plugin_folder, "bell", "@hookimpl\ndef ccod_commands(cli, settings): 1 / 0\n")
    Cli("ccod").main(["--help"], standalone_mode=False, obj=Failing([bell]))
    assert "ccod: plugin 'bell': ccod_commands failed: ZeroDivisionError" in capsys.readouterr().err


def test_a_plugin_may_have_no_settings(plugin_folder: Path) -> None:
    manager = Manager(found=[offer(plugin_folder, "bell", "@hookimpl\ndef ccod_settings(): return None\n")])
    manager.require()
    assert manager.schemas() == {}


def test_prices_that_were_left_out_are_no_missing_role(tmp_path: Path) -> None:
    Manager(left_out={"bell": "it stopped the daemon"}).require_roles(settings(tmp_path, "prices = 'bell'\n"))


def test_a_file_that_went_is_a_stranger_without_a_version(tmp_path: Path) -> None:
    (stranger,) = strangers([PluginFile(tmp_path / "gone.py")])
    assert (stranger.name, stranger.version) == ("gone", "")
