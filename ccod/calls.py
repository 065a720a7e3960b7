"""Which plugin is asked something at the moment: a daemon watches that each call ends."""

from __future__ import annotations

from threading import get_ident


class Calls:
    """Who is asked something at the moment, in which thread, and since when: for who watches that it ends."""

    def __init__(self) -> None:
        self._calls: dict[int, tuple[str, int]] = {}
        self.now = 0

    def of(self, plugin: str) -> Call:
        return Call(self._calls, plugin, self)

    def step(self) -> None:
        """Let time go on: who watches counts it, so that a process that stood still took none."""
        self.now += 1

    def longer_than(self, steps: int) -> list[str]:
        """Return the plugins that have not answered for so long."""
        since = self.now - steps
        return sorted({plugin for plugin, began in list(self._calls.values()) if began < since})


class Call:
    """One of them, while it is entered: a class, for it is entered for each response, and a generator takes longer."""

    __slots__ = ("_before", "_calls", "_of", "_plugin", "_thread")

    def __init__(self, calls: dict[int, tuple[str, int]], plugin: str, of: Calls) -> None:
        self._calls = calls
        self._plugin = plugin
        self._of = of

    def __enter__(self) -> Call:
        self._thread = get_ident()
        self._before = self._calls.get(self._thread)
        self.again()
        return self

    def again(self) -> None:
        """Ask the same plugin for the next thing, so that the time is counted from now."""
        self._calls[self._thread] = self._plugin, self._of.now

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            self._calls.pop(self._thread, None)
        else:
            self._calls[self._thread] = self._before
