"""Where the command line begins: what other programs ask for often is answered before anything large is imported.

A package offers such an answer as an entry point of the group `ccod.quick`, named as its command:
`status = "ccod_status.quick:main"`. It is called with the arguments, and returns the exit code; or None, before it has
printed anything, where the command itself has to do it. It may import only what is cheap.
"""

from __future__ import annotations

import sys

GROUP = "ccod.quick"


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
    if not arguments:
        return None
    from ccod.entrypoints import entry_points

    offered = next((each for each in entry_points(GROUP) if each.name == arguments[0]), None)
    if offered is None:
        return None
    try:
        code: int | None = offered.load()(arguments[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who reads has seen enough
        from ccod.streams import READ_NO_FURTHER, let_go

        let_go(sys.stdout.fileno())
        return READ_NO_FURTHER
    return code
