"""What ccod raises on purpose. Each reaches a person as one line: what, where, how to mend it."""

from __future__ import annotations

from typing import ClassVar


class CcodError(Exception):
    """Base of every error that ccod raises on purpose; `exit_code` is the process's own."""

    exit_code: ClassVar[int] = 1


class ConfigError(CcodError):
    """The configuration is malformed, insecure, or asks for what no plugin offers."""

    exit_code = 78


class PluginError(CcodError):
    """A plugin could not be loaded, or answered a hook wrongly."""

    exit_code = 78

    def __init__(self, plugin: str, problem: str) -> None:
        super().__init__(f"plugin {plugin!r}: {problem}")
        self.plugin = plugin


class UnavailableError(CcodError):
    """Something outside the daemon is not to be had now, such as a port that another program holds."""

    exit_code = 69


class BusyError(CcodError):
    """Another daemon holds what this one needs; trying again at once does not help."""

    exit_code = 75


class StorageUnavailableError(CcodError):
    """The storage cannot write at the moment (disk full, read-only, locked); the same batch may work later.

    `code` and `fix` are those of the `Reason` for which `/health` then says `degraded`.
    """

    exit_code = 75

    def __init__(self, problem: str, code: str = "STORAGE_UNAVAILABLE", fix: str = "") -> None:
        super().__init__(f"{problem}; {fix}" if fix else problem)
        self.problem = problem
        self.code = code
        self.fix = fix


class CacheUnavailableError(CcodError):
    """A cache cannot be asked at the moment, or what else is only kept together and can be done without.

    `code` and `fix` are those of the `Reason` that `/health` then tells.
    """

    def __init__(self, problem: str, code: str = "CACHE_AWAY", fix: str = "") -> None:
        super().__init__(f"{problem}; {fix}" if fix else problem)
        self.problem = problem
        self.code = code
        self.fix = fix


class WrongKeyError(CcodError):
    """A storage was asked to go on behind a key that is not one of the list asked for."""


class UnseenError(CcodError):
    """What was asked for is not there, or not to be seen by who asks: nobody is told which of the two."""


class NoMachinesError(CcodError):
    """Who asks sees the conversations of machines that are theirs, and none is."""
