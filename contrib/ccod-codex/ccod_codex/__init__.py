"""Codex CLI: finds its rollouts, follows them as they grow, and understands their lines."""

from __future__ import annotations

from collections.abc import Iterable

from ccod import Metrics, Parser, Settings, Source, hookimpl
from ccod_codex.settings import CodexSettings


@hookimpl
def ccod_settings() -> type[CodexSettings]:
    return CodexSettings


@hookimpl
def ccod_sources(settings: Settings, metrics: Metrics) -> Iterable[Source]:
    from ccod_codex.layout import LAYOUT
    from ccod_jsonl.tail import JsonlSource

    return (JsonlSource("codex", settings[CodexSettings], LAYOUT, metrics),)


@hookimpl
def ccod_parsers() -> Iterable[Parser]:
    from ccod_codex.parser import CodexParser

    return (CodexParser(),)
