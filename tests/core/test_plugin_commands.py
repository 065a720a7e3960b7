"""`ccod plugins`, `ccod plugins new`, `ccod install`; plugins of a folder and of chosen distributions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from ccod.commands.packages import command
from ccod.commands.plugins import PLAYED
from ccod.commands.scaffold import write
from ccod.errors import CcodError
from ccod.past import LEFT_OUT
from ccod.testing.home import MEASURED
from tests.core.test_cli import run

TALKING = "from ccod import hookimpl\n@hookimpl\ndef ccod_sinks():\n    return []\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    (folder / "bell.py").write_text(TALKING)
    (folder / "_helper.py").write_text("raise SystemExit")
    (folder / "notes.txt").write_text("no plugin")
    return folder


def listed(tmp_path: Path, *arguments: str, **environ: str) -> dict[str, dict[str, object]]:
    answer = json.loads(run(tmp_path, "plugins", "--json", *arguments, **environ).stdout)
    return {plugin["name"]: plugin for plugin in answer["plugins"]}


def install(site: Path, name: str, requires: str = "") -> dict[str, str]:
    """Install a plugin as a distribution of somebody else's; return the variables that make it known."""
    described = site / f"ccod_{name}-2.dist-info"
    described.mkdir(parents=True)
    (site / f"ccod_{name}.py").write_text(TALKING)
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: ccod_{name}\nVersion: 2\n{needs}")
    (described / "entry_points.txt").write_text(f"[ccod]\n{name} = ccod_{name}\n")
    return {"PYTHONPATH": str(site)}


def test_what_each_plugin_does_is_listed(tmp_path: Path) -> None:
    plugins = listed(tmp_path)
    assert (plugins["sqlite"]["roles"], plugins["sqlite"]["table"]) == (["storage"], "sqlite")
    assert (plugins["claude"]["roles"], plugins["rest"]["table"]) == (["parser", "source"], None)


def test_who_is_not_chosen_or_disabled_is_listed_among_all(tmp_path: Path) -> None:
    environ = install(tmp_path / "site", "bell") | {"CCOD_DISABLE": "ws"}
    (tmp_path / "site" / "ccod_bell.py").write_text(TALKING.replace("ccod_sinks", "ccod_cache"))
    assert not {"ws", "bell"} & {*listed(tmp_path, **environ)}
    plugins = listed(tmp_path, "--all", **environ)
    assert (plugins["ws"]["state"], plugins["bell"]["state"]) == ("disabled", "not chosen")
    assert (plugins["bell"]["distribution"], plugins["bell"]["version"]) == ("ccod_bell", "2")
    assert listed(tmp_path, CCOD_CACHE="bell", **environ)["bell"]["state"] == "loaded"


def test_a_folder_of_plugins(tmp_path: Path, folder: Path) -> None:
    for how in (["--plugins-dir", str(folder)], ["--set", f"plugins_dir={folder}"]):
        plugins = listed(tmp_path, *how)
        assert (plugins["bell"]["state"], plugins["bell"]["hooks"]) == ("loaded", ["ccod_sinks"])
        assert "_helper" not in plugins
    assert "bell" not in listed(tmp_path)


def test_a_command_that_cannot_be_made_leaves_the_others(tmp_path: Path, folder: Path) -> None:
    adding = "\n@hookimpl\ndef ccod_commands(cli, settings):\n"
    (folder / "bell.py").write_text(
        f"import click\n{TALKING}{adding}    cli.add_later('works', lambda: click.Command('works', help='It works.'))\n"
        "    cli.add_later('fails', lambda: 1 / 0)\n"
    )
    told = "ccod: plugin 'bell': ccod_commands failed: ZeroDivisionError"
    done = run(tmp_path, "--plugins-dir", str(folder), "--help")
    assert done.returncode == 0
    assert "It works." in done.stdout
    assert done.stderr.startswith(told)
    done = run(tmp_path, "--plugins-dir", str(folder), "fails")
    assert (done.returncode, done.stderr.startswith(told)) == (2, True)


def test_plugins_that_cannot_be_loaded_are_each_named_and_leave_commands_alone(tmp_path: Path, folder: Path) -> None:
    for name in ("boom", "bang"):
        (folder / f"{name}.py").write_text("1 / 0\n")
    done = run(tmp_path, "status", "--plugins-dir", str(folder))
    assert done.returncode == 69  # there is no daemon
    assert [line.partition(":")[2][:14] for line in done.stderr.splitlines()[:2]] == [
        " plugin 'bang'",
        " plugin 'boom'",
    ]
    assert len(done.stderr.splitlines()) == 3
    done = run(tmp_path, "plugins", "--plugins-dir", str(folder))
    assert done.returncode == 78
    assert sorted(line.partition(":")[2][:14] for line in done.stderr.splitlines()) == [
        " plugin 'bang'",
        " plugin 'boom'",
    ]


def test_what_others_may_write_is_not_run(tmp_path: Path, folder: Path) -> None:
    (folder / "bell.py").chmod(0o664)
    done = run(tmp_path, "plugins", "--plugins-dir", str(folder))
    assert done.returncode == 78
    assert f"plugin 'bell': {folder}/bell.py: may be written by others" in done.stderr
    folder.chmod(0o777)
    done = run(tmp_path, "plugins", "--plugins-dir", str(folder))
    assert f"plugins_dir: {folder}: may be written by others" in done.stderr
    assert "No such file" in run(tmp_path, "plugins", "--plugins-dir", "/no/such").stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file away")
def test_what_belongs_to_others_is_not_run(tmp_path: Path, folder: Path) -> None:
    os.chown(folder / "bell.py", 12345, 0)
    assert "belongs to another user" in run(tmp_path, "plugins", "--plugins-dir", str(folder)).stderr


def test_a_folder_s_plugin_cannot_take_the_place_of_another(tmp_path: Path, folder: Path) -> None:
    (folder / "rest.py").write_text(TALKING)
    assert (
        "plugin 'rest': two distributions or files offer it"
        in run(tmp_path, "plugins", "--plugins-dir", str(folder)).stderr
    )


def test_only_chosen_distributions_are_loaded(tmp_path: Path) -> None:
    environ = install(tmp_path / "site", "bell")
    install(tmp_path / "site", "whistle")
    assert {"bell", "whistle", "rest"} <= {*listed(tmp_path, **environ)}
    chosen = listed(tmp_path, "--all", CCOD_LOAD_PLUGINS="ccod-bell", **environ)
    assert {name: chosen[name]["state"] for name in ("bell", "whistle", "rest")} == {
        "bell": "loaded",
        "whistle": "disabled",
        "rest": "loaded",
    }
    assert not {"bell", "whistle"} & {*listed(tmp_path, CCOD_LOAD_PLUGINS="ccod", **environ)}
    done = run(tmp_path, "plugins", CCOD_LOAD_PLUGINS="ccod-bel", **environ)
    assert "load_plugins: no installed distribution 'ccod-bel' has a plugin" in done.stderr


@pytest.mark.parametrize(
    ("requires", "fits"), [("ccod>=0.0.1", True), ("ccod", True), ("ccod<0.0.1", False), ("Ccod>=999", False)]
)
def test_a_plugin_of_another_version_is_named(tmp_path: Path, requires: str, fits: bool) -> None:
    done = run(tmp_path, "plugins", "--json", **install(tmp_path / "site", "bell", requires))
    state = next(plugin["state"] for plugin in json.loads(done.stdout)["plugins"] if plugin["name"] == "bell")
    assert (state == "loaded") == fits
    assert ("plugin 'bell': ccod_bell 2 was built for ccod " in done.stderr) != fits


def test_a_trace_tells_who_was_asked_what(tmp_path: Path) -> None:
    done = run(tmp_path, "config", "check", CCOD_TRACE_PLUGINS="1")
    line = next(line for line in done.stderr.splitlines() if line.startswith("ccod: http ccod_settings "))
    assert line.endswith(" ms")
    assert run(tmp_path, "config", "check").stderr == ""


def test_new_plugins_of_every_role_pass_their_own_tests(tmp_path: Path) -> None:
    """All in one run, for each start of pytest costs seconds, with the configuration of the last."""
    begun = run(tmp_path, "plugins", "new", "my_sink", "--role", "sink", "--directory", str(tmp_path))
    assert begun.returncode == 0, begun.stderr
    made = [write(f"my_{role}", role, tmp_path) for role in PLAYED.values() if role != "sink"]
    plugins = [tmp_path / "ccod-my-sink", *made]
    path = os.pathsep.join(map(str, plugins))
    ours = ["-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:xdist", "-W", "error", "-rs"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", str(plugins[-1] / "pyproject.toml"), *ours]
        + [str(plugin / "tests") for plugin in plugins],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SKIPPED" not in done.stdout
    for plugin, name in ((plugin, plugin.name.removeprefix("ccod-").replace("-", "_")) for plugin in plugins):
        described = plugin / f"ccod_{name}-0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {plugin.name}\nVersion: 0\n")
        (described / "entry_points.txt").write_text(f"[ccod]\n{name} = ccod_{name}\n")
    rows = listed(tmp_path, "--all", PYTHONPATH=path)
    assert [role for role in PLAYED.values() if role not in str(rows[f"my_{role}"]["roles"])] == []


def test_a_name_that_is_none_and_a_folder_that_is_there_are_refused(tmp_path: Path) -> None:
    write("bell", "sink", tmp_path)
    done = run(tmp_path, "plugins", "new", "bell", "--role", "sink", "--directory", str(tmp_path))
    assert f"ccod: {tmp_path}/ccod-bell: is there already" in done.stderr
    for name in ("../x", "x_", "x__y", "x" * 41):
        done = run(tmp_path, "plugins", "new", name, "--role", "sink", "--directory", str(tmp_path))
        assert f"{name!r} is no name for a plugin" in done.stderr


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("sqlite", "there is a plugin of that name"),
        ("log", "the core has a setting of that name"),
        ("sql", "there is a module ccod_sql"),
    ],
)
def test_a_name_that_is_taken_is_refused(tmp_path: Path, name: str, taken: str) -> None:
    done = run(tmp_path, "plugins", "new", name, "--role", "sink", "--directory", str(tmp_path))
    assert done.returncode == 1
    assert f"{name!r} is taken: {taken}; choose another name" in done.stderr
    assert not (tmp_path / f"ccod-{name}").exists()


def test_the_environment_says_who_installs_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("pipx", "uv"):
        (tools / tool).write_text("#!/bin/sh\n")
        (tools / tool).chmod(0o755)
    venv = tmp_path / "ccod"
    venv.mkdir()
    python = str(venv / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--no-input", "x"]
    monkeypatch.setenv("PATH", str(tools))
    assert command("install", ["x"], venv) == pip
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.5.1\n")
    assert command("install", ["x"], venv) == [str(tools / "uv"), "pip", "install", "--python", python, "x"]
    (venv / "pipx_metadata.json").write_text("{}")
    assert command("install", ["x"], venv) == [str(tools / "pipx"), "inject", "ccod", "x"]
    assert command("uninstall", ["x"], venv) == [str(tools / "pipx"), "uninject", "ccod", "x"]
    (tmp_path / "venvs").mkdir()
    moved = venv.rename(tmp_path / "venvs" / "ccod")
    home = ["env", f"PIPX_HOME={tmp_path}"]
    assert command("install", ["x"], moved) == [*home, str(tools / "pipx"), "inject", "ccod", "x"]
    moved.rename(venv)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert command("install", ["x"], venv) == pip
    assert command("uninstall", ["x"])[1:] == ["-m", "pip", "uninstall", "--yes", "x"]


def test_ccod_does_not_uninstall_itself(tmp_path: Path) -> None:
    done = run(tmp_path, "uninstall", "CCOD")
    assert (done.returncode, done.stderr) == (1, "ccod: ccod cannot uninstall itself; do it with what installed it\n")


def test_ccod_does_not_install_itself(tmp_path: Path) -> None:
    for package in ("ccod==0.0.1", "dist/ccod-0.1.0-py3-none-any.whl"):
        done = run(tmp_path, "install", package)
        assert (done.returncode, done.stderr) == (1, "ccod: ccod cannot install itself; do it with what installed it\n")


def test_what_is_needed_or_not_there_is_not_uninstalled(tmp_path: Path) -> None:
    done = run(tmp_path, "uninstall", "ccod-no-such")
    assert (done.returncode, done.stderr.startswith("ccod: ccod-no-such is not installed where ccod is")) == (1, True)
    environ = install(tmp_path / "site", "bell")
    install(tmp_path / "site", "whistle", "ccod_bell")
    done = run(tmp_path, "uninstall", "ccod.Bell", **environ)
    assert done.stderr == "ccod: ccod.Bell is needed by ccod-whistle; it stays\n"


def test_what_pipx_would_leave_as_it_is_is_named(tmp_path: Path) -> None:
    venv, tools = tmp_path / "venvs" / "ccod", tmp_path / "tools"
    venv.mkdir(parents=True)
    (venv / "pipx_metadata.json").write_text("{}")
    tools.mkdir()
    (tools / "pipx").write_text("#!/bin/sh\n")
    (tools / "pipx").chmod(0o755)
    site = install(tmp_path / "site", "bell")["PYTHONPATH"]
    program = f"import sys; sys.prefix = {str(venv)!r}; from ccod.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "install", "ccod-bell==3"],
        env={"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": site, **MEASURED},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        1,
        "ccod: ccod-bell is there already, and pipx would leave it; `ccod uninstall ccod-bell` first\n",
    )


def test_what_is_no_plugin_is_named_when_it_was_installed(tmp_path: Path) -> None:
    done = run(tmp_path, "install", "iniconfig", PIP_NO_INDEX="1")  # which is there, as pytest needs it
    assert done.returncode == 1
    assert done.stderr.endswith(
        "\nccod: iniconfig was installed, but is no plugin of ccod; `ccod uninstall iniconfig` takes it away\n"
    )


def test_what_cannot_be_installed_is_one_line_after_the_command(tmp_path: Path) -> None:
    done = run(tmp_path, "install", str(tmp_path / "no-such-1.whl"))
    assert done.returncode == 1
    assert done.stderr.startswith("$ ")
    assert "that failed with exit code" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("maker", ["pipx", "uv"])
def test_plugins_come_and_go_by_what_made_the_environment(tmp_path: Path, maker: str) -> None:
    venv, tools = tmp_path / "venv", tmp_path / "tools"
    venv.mkdir()
    tools.mkdir()
    (venv / {"pipx": "pipx_metadata.json", "uv": "uv-receipt.toml"}[maker]).write_text("{}")
    (tools / maker).write_text("#!/bin/sh\necho $1 $2 >&2\n")
    (tools / maker).chmod(0o755)
    site = install(tmp_path / "site", "bell")["PYTHONPATH"]

    def run_there(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = f"import sys; sys.prefix = {str(venv)!r}; from ccod.start import main; main()"
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env={"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": site, **MEASURED},
            capture_output=True,
            text=True,
            check=False,
        )

    what = "./a/folder" if maker == "pipx" else "ccod-bell"  # which pipx would leave as it is
    done = run_there("install", what)
    assert (done.returncode, "A daemon that runs knows of it" in done.stdout) == (0, True), done.stderr
    assert ("`uv tool upgrade ccod` takes plugins away" in done.stdout) == (maker == "uv")
    done = run_there("uninstall", "ccod-bell")
    assert (done.returncode, "A daemon that runs knows of it" in done.stdout) == (0, True), done.stderr


def test_where_nothing_at_hand_can_install_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    (tmp_path / "EXTERNALLY-MANAGED").write_text("")
    with pytest.raises(CcodError, match="is the system's; install ccod with pipx or uv"):
        command("install", ["x"], Path(sys.base_prefix))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(CcodError, match="has no pip, and neither pipx nor uv made it; install x by hand"):
        command("install", ["x"], tmp_path)
    (tmp_path / "uv-receipt.toml").write_text("")
    with pytest.raises(CcodError, match=r"uv made .*, and is not found on the PATH; put it there"):
        command("install", ["x"], tmp_path)


def test_a_plugin_that_cannot_be_begun_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CcodError, match="Not a directory"):
        write("bell", "sink", tmp_path / "file" / "below")


def test_who_stopped_the_daemon_is_let_in_again_by_its_name(tmp_path: Path) -> None:
    state = tmp_path / "state" / "ccod"
    state.mkdir(parents=True)
    (state / LEFT_OUT).write_text('{"bell": {"version": "2", "where": "line 1"}}')
    environ = install(tmp_path / "site", "bell") | {"XDG_STATE_HOME": str(tmp_path / "state")}
    found = json.loads(run(tmp_path, "doctor", "--json", **environ).stdout)["findings"]
    assert "ccod plugins allow bell" in [each["fix"] for each in found]
    assert run(tmp_path, "plugins", "allow", "bell", **environ).stdout == "bell: is loaded again at the next start\n"
    done = run(tmp_path, "plugins", "allow", "bell", **environ)
    assert (done.returncode, "no plugin 'bell' is left out" in done.stderr) == (1, True)


def test_doctor_names_a_role_that_nobody_plays(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", CCOD_DISABLE="sqlite")
    assert "plugin 'sqlite' is left out" in done.stdout
