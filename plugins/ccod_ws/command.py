"""`ccod tail`."""

from __future__ import annotations

from collections.abc import Callable

import click

from ccod import Settings


def tail_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.option("--json", "as_json", is_flag=True, help="Print each event as one line of JSON.")
    def tail(as_json: bool) -> None:
        """Print what happens in all conversations, as it happens."""
        import trio

        from ccod_http.web import HttpSettings
        from ccod_ws.lines import JsonLines, Lines
        from ccod_ws.tail import Show, follow

        http = settings()[HttpSettings]
        show: Show = JsonLines() if as_json else Lines()
        try:
            trio.run(follow, http.host, http.port, show)
        except KeyboardInterrupt:
            return

    return tail
