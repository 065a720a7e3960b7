"""Start the daemon in odd surroundings, one by one: it serves and stops in order, or says in one line why it cannot.

python -m tests.faults.odd_starts [WORD]

What can be told without starting a daemon stands in `odd_settings`.
"""

# ruff: noqa: E501 - a table reads best with one case a line

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from ccod.configuration import declared
from tests.faults.configurations import SCHEMAS
from tests.faults.odd_start import (
    Start,
    a_root_that_loops,
    database,
    foreign,
    missing,
    plugin,
    text_file,
    transcript,
    trouble,
    twins,
    unreadable,
)

AT_ONCE = 2
UNFIXED = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}
"""Else libfaketime ends timed waits for a lock at once, and threads spin, or lets the clock of waits jump too."""
Outcome = Literal["well", "bad", "skipped"]
WITHOUT = "setpriv --inh-caps=-all --bounding-set=-dac_override,-dac_read_search,-net_bind_service"
SECOND_STORAGE = "from ccod import hookimpl\n@hookimpl\ndef ccod_storage(settings): raise RuntimeError('asked')\n"

SETTINGS = [
    Start("a file that may not be read", 78, "ermission denied", wrapped=WITHOUT, lay_out=unreadable),
    Start("a port of the system's", 69, "above 1023", arguments="--port 80", wrapped=WITHOUT),
    Start("an address of another machine", 69, r"\[http\] host", {"http": {"host": "203.0.113.7", "access": "login", "insecure": True}}),
    Start("a link-local address without its scope", 69, r"\[http\] host", {"http": {"host": "fe80::1234", "access": "login", "insecure": True}}),
    Start("loopback of IPv6", tables={"http": {"host": "::1"}}),
    Start("a socket's path that is too long", 78, r"\[http\] socket", {"http": {"socket": "/tmp/" + "x" * 120}}),
    Start("a socket's path that is a file", 78, r"\[http\] socket", {"http": {"socket": "FOLDER/ccod.toml"}}),
    Start("a sample secret", 78, r"JWT_SECRET: \[jwt\] secret", environment={"JWT_SECRET": "your-secret-key"}),
    Start("every variable empty", environment={field.variable: "" for field in declared(SCHEMAS)}),
    Start("the file, the variables and the command line disagree", tables={"http": {"port": 1}}, environment={"CCOD_HTTP__PORT": "2", "PORT": "3"}, arguments="--port 0"),
]  # fmt: skip

DATABASES = [
    Start("in a folder that is not there", tables=database("FOLDER/a/b/c.db")),
    Start("relative", tables=database("x.db")),
    Start("with blanks, % and ? in its path", tables=database("FOLDER/a b%40?c#d.db")),
    Start("a folder", 78, r":\d+: \[sqlite\] path: .* is a folder", database("FOLDER")),
    Start("a text file", 78, r":\d+: \[sqlite\] path: .* is not a database", database("FOLDER/text"), lay_out=text_file),
    Start("another program's", 78, r":\d+: \[sqlite\] path: .* another program", database("FOLDER/other.db"), lay_out=foreign),
    Start("below a file", 78, r":\d+: \[sqlite\] path: ", database("FOLDER/ccod.toml/x.db")),
    Start("/dev/null", 78, r":\d+: \[sqlite\] path: .* device", database("/dev/null")),
    Start("on a file system that may only be read", 78, r"\[sqlite\] path", database("/proc/x.db")),
    Start("in memory", 78, r"\[sqlite\] path", database(":memory:")),
    Start("a URL with a password", 78, r"(?!.*hunter2).*\[sqlite\] path", database("postgres://me:hunter2@localhost/x")),
]  # fmt: skip

ROOTS = [
    Start("not there", tables={"claude": {"roots": ["FOLDER/nowhere"]}}),
    Start("a file", tables={"claude": {"roots": ["FOLDER/ccod.toml"]}}),
    Start("the folder of the database", tables={"claude": {"roots": ["FOLDER/data"]}}),
    Start("two that overlap", tables={"claude": {"roots": ["FOLDER/projects", "FOLDER/projects/"]}}, lay_out=transcript, conversations=1),
    Start("a link to itself below it", lay_out=a_root_that_loops, conversations=1),
    Start("glob characters", tables={"claude": {"roots": ["FOLDER/projects/*[x]?"]}}, lay_out=lambda home: transcript(home, "*[x]?"), conversations=1),
    Start("a line end in its name", tables={"claude": {"roots": ["FOLDER/projects/a\nb"]}}, lay_out=lambda home: transcript(home, "a\nb"), conversations=1),
    Start("no UTF-8", environment={"CLAUDE_PROJECTS_PATH": "/tmp/\udcff"}),
    Start("the whole of /proc", tables={"claude": {"roots": ["/proc/self"]}}),
]  # fmt: skip

PLUGINS = [
    Start("raises when it is imported", lay_out=plugin("raise RuntimeError('x')")),
    Start("exits when it is imported", lay_out=plugin("raise SystemExit(0)")),
    Start("a syntax error", lay_out=plugin("def (")),
    Start("no hook at all", lay_out=plugin("x = 1")),
    Start("a hook of another version", lay_out=plugin("from ccod import hookimpl\n@hookimpl\ndef ccod_gone(): pass\n")),
    Start("an argument of another version", lay_out=plugin("from ccod import hookimpl\n@hookimpl\ndef ccod_sources(settings, loop): pass\n")),
    Start("two of one name", lay_out=twins),
    Start("a second storage that nobody chose", lay_out=plugin(SECOND_STORAGE)),
    Start("one that is not there to be left out", 78, "no plugin is called", arguments="--set 'disable=[\"nobody\"]'"),
    Start("no storage", 78, "storage", arguments="--set 'disable=[\"sqlite\"]'"),
    Start("no one who says who asks", 78, "auth", arguments="--set 'disable=[\"jwt\"]'"),
]  # fmt: skip

SURROUNDINGS = [
    Start("no home", environment={"HOME": ""}),
    Start("relative XDG folders", environment={f"XDG_{kind}_HOME": "x" for kind in ("CONFIG", "DATA", "STATE", "CACHE")}),
    Start("the C locale without UTF-8", environment={"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    Start("a time zone of nonsense", environment={"TZ": "nonsense/\\x"}),
    Start("a notify socket that is not there", environment={"NOTIFY_SOCKET": "/nowhere/notify"}),
    Start("an abstract notify socket that is not there", environment={"NOTIFY_SOCKET": "@nobody"}),
    Start("a notify socket that is none", environment={"NOTIFY_SOCKET": "nonsense", "WATCHDOG_USEC": "x"}),
    Start("sockets handed to another process", environment={"LISTEN_FDS": "1", "LISTEN_PID": "1"}),
    Start("sockets that are none", 78, "LISTEN_FDS", before="export LISTEN_FDS=1 LISTEN_PID=$$; exec 3</dev/null"),
    Start("a count of sockets that is none", before="export LISTEN_FDS=many LISTEN_PID=$$"),
    Start("stdin, stdout and stderr closed", before="exec <&- >&- 2>&-"),
    Start("a current folder that is gone", before="mkdir gone; cd gone; rmdir ../gone"),
    Start("umask 0777", before="umask 0777"),
    Start("16 files", 1, "", before="ulimit -n 16"),
    Start("200 MB of addresses", before="ulimit -v 200000"),
    Start("files of 1 MB", before="ulimit -f 1024"),
    Start("in 1970", wrapped="faketime -f '@1970-01-02 00:00:00'", environment=UNFIXED),
    Start("in 2040", wrapped="faketime -f '@2040-01-01 00:00:00'", environment=UNFIXED),
    Start("as process 1", wrapped="unshare --pid --fork --kill-child"),
]  # fmt: skip

ALL = {"setting": SETTINGS, "database": DATABASES, "root": ROOTS, "plugin": PLUGINS, "surroundings": SURROUNDINGS}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.odd_starts", description=__doc__)
    parser.add_argument("word", nargs="?", default="", help="only those whose name begins so, such as `root`")
    wanted = parser.parse_args().word
    named = [(f"{kind}: {start.name}", start) for kind, starts in ALL.items() for start in starts]
    chosen = [(name, start) for name, start in named if name.startswith(wanted)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = Counter(threads.map(tried, chosen))
    print(f"{len(chosen)} odd starts, {outcomes['skipped']} skipped, {outcomes['bad']} not as they should be")
    return 1 if outcomes["bad"] else 0


def tried(named: tuple[str, Start]) -> Outcome:
    """Start it once in a folder of its own, and say what is not as it should be."""
    name, start = named
    if needs := missing(start):
        print(f"SKIPPED {name}: {needs} is not installed", flush=True)
        return "skipped"
    with tempfile.TemporaryDirectory(prefix="ccod-odd-", ignore_cleanup_errors=True) as folder:
        if problem := trouble(start, Path(folder)):
            print(f"{name}: {problem}", flush=True)
            return "bad"
    return "well"


if __name__ == "__main__":
    sys.exit(main())
