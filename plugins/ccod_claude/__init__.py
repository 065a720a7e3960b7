"""Claude Code: finds its transcripts, follows them as they grow, and understands their lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ccod import hookimpl
from ccod_claude.settings import ClaudeSettings

if TYPE_CHECKING:
    import click

    from ccod import Commands, Finding, Metrics, Parser, Settings, Source


@hookimpl
def ccod_settings() -> type[ClaudeSettings]:
    return ClaudeSettings


@hookimpl
def ccod_commands(cli: Commands) -> None:
    def demo() -> click.Command:
        from ccod_claude.demo import demo_command

        return demo_command()

    cli.add_later("demo", demo)


@hookimpl
def ccod_checks(settings: Settings) -> Iterable[Finding]:
    from ccod_claude.checks import findings

    return findings(settings)


@hookimpl
def ccod_sources(settings: Settings, metrics: Metrics) -> Iterable[Source]:
    from ccod_claude.source import ClaudeSource

    return (ClaudeSource(settings[ClaudeSettings], metrics),)


@hookimpl
def ccod_parsers(settings: Settings) -> Iterable[Parser]:  # noqa: ARG001
    from ccod_claude.attachments import AttachmentParser
    from ccod_claude.parser import ClaudeParser

    return (ClaudeParser(), AttachmentParser())
