"""What plays each role instead of the built-in plugin, by configuration alone, and which tests that leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import bcrypt
from msgspec import Struct

FORGETFUL = '''
"""Keeps no answer at all."""

from ccod import Cache, hookimpl


class Forgetful(Cache):
    async def __aexit__(self, *_):
        pass

    async def get(self, key):
        return None

    async def put(self, key, value):
        pass


@hookimpl
def ccod_cache():
    return Forgetful()
'''
ROUND = '''
"""Every token of every model costs a microdollar."""

from ccod import Charge, Cost, hookimpl


class Round:
    version = "round"

    def cost(self, response, at):
        if not response.is_billed:
            return None
        count = response.usage.total_tokens
        return Cost(1000 * count, (Charge("token", count, 1000),))


@hookimpl
def ccod_prices():
    return Round()
'''

OF_PAGES = {
    "test_first_five_minutes.py": "plays the pages' commands in a home of its own",
    "test_first_readme.py": "plays the pages' commands in a home of its own",
    "test_contributing.py": "plays the pages' commands in a home of its own",
    "test_development.py": "starts the daemon by make, of the sources",
    "test_systemd.py": "lets systemd judge the units, starts nothing",
}
"""Left out each time: they would run on the built-ins whatever is replaced."""


class Replacement(Struct, frozen=True):
    """`variables` configure it; `file` is the text of a one-file plugin. `asked`: which plugin is asked which hook.

    `smoke` are the files of tests that a quick run takes; `left_out` are files or tests with the reason.
    """

    role: str
    plugin: str
    asked: Sequence[str]
    smoke: Sequence[str]
    distribution: str = "ccod"
    variables: Mapping[str, str] = {}
    left_out: Mapping[str, str] = {}
    file: str = ""

    def configuration(self, folder: Path) -> dict[str, str]:
        """Return the variables that every daemon gets; what they name is made in `folder`."""
        found = {"CCOD_LOAD_PLUGINS": self.distribution, **self.variables}
        if self.file:
            plugins = folder / "plugins"
            plugins.mkdir(mode=0o700)
            (plugins / f"{self.plugin}.py").write_text(self.file)
            (plugins / f"{self.plugin}.py").chmod(0o600)
            found["CCOD_PLUGINS_DIR"] = str(plugins)
        if self.plugin == "basic":
            passwords = folder / "htpasswd"
            passwords.write_bytes(b"ada:" + bcrypt.hashpw(b"lovelace", bcrypt.gensalt(4)).replace(b"$2b$", b"$2y$"))
            passwords.chmod(0o600)
            found["CCOD_BASIC__FILE"] = str(passwords)
        return found


OPENS = "opens the database with Python's own sqlite3"
CLAUDE = "is about transcripts of Claude Code, which nobody reads"
ACCOUNTS = "is about accounts, tokens or API keys"

REPLACEMENTS = (
    Replacement(
        "storage",
        "sqlcipher",
        ["sqlcipher ccod_storage"],
        ["test_live.py"],
        "ccod-sqlcipher",
        {"CCOD_STORAGE": "sqlcipher"},
        dict.fromkeys(
            [
                "test_archive.py",
                "test_database_commands.py",
                "test_stop.py",
                "test_truth.py",
                "test_truth_figures.py",
                "test_truth_served.py",
                "test_vacuum.py",
            ],
            OPENS,
        ),
    ),
    Replacement(
        "auth",
        "basic",
        ["basic ccod_auth"],
        ["test_live.py"],
        "ccod-basic-auth",
        {"CCOD_AUTH": "basic"},
        dict.fromkeys(["test_access.py", "test_accounts.py"], ACCOUNTS),
    ),
    Replacement(
        "source, parser",
        "codex",
        ["codex ccod_sources", "codex ccod_parsers"],
        ["test_database_commands.py"],
        "ccod-codex",
        {"CCOD_DISABLE": "claude"},
        dict.fromkeys(
            [
                "test_archive.py",
                "test_bad_input.py",
                "test_channels.py",
                "test_corpus_numbers.py",
                "test_demo.py",
                "test_live.py",
                "test_reuse.py",
                "test_sessions.py",
                "test_status.py",
                "test_tail.py",
                "test_truth.py",
                "test_truth_figures.py",
                "test_truth_served.py",
                "test_usage.py",
                "test_vacuum.py",
                "test_watch_limits.py",
            ],
            CLAUDE,
        ),
    ),
    Replacement(
        "cache",
        "forgetful",
        ["forgetful ccod_cache"],
        ["test_live.py"],
        variables={"CCOD_CACHE": "forgetful"},
        file=FORGETFUL,
    ),
    Replacement(
        "prices",
        "round",
        ["round ccod_prices"],
        ["test_live.py"],
        variables={"CCOD_PRICES": "round"},
        file=ROUND,
    ),
    Replacement(
        "transport, beside",
        "stdout",
        ["stdout ccod_transports"],
        ["test_live.py"],
        "ccod-stdout",
    ),
    Replacement(
        "sink",
        "webhook",
        ["webhook ccod_sinks"],
        ["test_live.py"],
        "ccod-webhook",
        {"CCOD_WEBHOOK__SECRET": "a key that both sides know"},
    ),
)
