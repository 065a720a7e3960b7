"""Tells on stderr which plugin was asked which hook, and how long it took to answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any


def tracers() -> tuple[Callable[..., None], Callable[..., None]]:
    """Return what a plugin manager calls before and after each hook. Calls may be nested."""
    began: list[float] = []

    def before(hook: str, impls: list[Any], values: dict[str, Any]) -> None:  # noqa: ARG001
        began.append(time.perf_counter())

    def after(outcome: Any, hook: str, impls: list[Any], values: dict[str, Any]) -> None:  # noqa: ARG001
        took = 1000 * (time.perf_counter() - began.pop())
        names = ", ".join(impl.plugin_name for impl in impls)
        how = f" raised {type(outcome.exception).__name__}" if outcome.exception else ""
        print(f"ccod: {names or 'nobody'} {hook} {took:.1f} ms{how}", file=sys.stderr)  # noqa: T201

    return before, after
