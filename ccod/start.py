"""Where the command line begins: what other programs ask for often is answered before anything large is imported.

A package offers such an answer as an entry point of the group `ccod.quick`, named as its command:
`status = "ccod_status.quick:main"`. It is called with the arguments, and returns the exit code; or None, before it has
printed anything, where the command itself has to do it. It may import only what is cheap.
"""

from __future__ import annotations

import os
import sys

GROUP = "[ccod.quick]"


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    code = None if None in (sys.stdin, sys.stdout, sys.stderr) else _quick(sys.argv[1:])
    if code is None:
        from ccod.cli import main as run

        run()
    sys.exit(code)


def _quick(arguments: list[str]) -> int | None:
    if arguments == ["--version"]:
        from ccod.version import __version__

        print(f"ccod, version {__version__}")
        return 0
    if not arguments or not (target := _offered(arguments[0])):
        return None
    module, _, name = target.partition(":")
    try:
        code: int | None = getattr(__import__(module, fromlist=[name]), name)(arguments[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who reads has seen enough
        from ccod.streams import READ_NO_FURTHER, let_go

        let_go(sys.stdout.fileno())
        return READ_NO_FURTHER
    return code


def _offered(command: str) -> str:
    """Return the entry point of a command; reading all metadata with `importlib` would take longer than the answer."""
    for folder in sys.path:
        try:
            names = [name for name in os.listdir(folder) if name.endswith(".dist-info")]
        except OSError:
            continue
        for name in names:
            if found := _entry(os.path.join(folder, name, "entry_points.txt"), command):
                return found
    return ""


def _entry(path: str, command: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            _, _, section = file.read().partition(GROUP)
    except (OSError, ValueError):
        return ""
    for line in section.partition("\n[")[0].splitlines():
        name, _, target = line.partition("=")
        if name.strip() == command:
            return target.strip()
    return ""
