"""`ccod completion`."""

from __future__ import annotations

import click

VARIABLE = "_CCOD_COMPLETE"


def completion_command(cli: click.Group) -> click.Command:
    """Return the command that completes those of `cli`."""

    @click.command()
    @click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
    def completion(shell: str) -> None:
        """Print what lets SHELL complete commands and options, to be read by the file that it reads at its start.

        Example: ccod completion bash > ~/.local/share/bash-completion/completions/ccod
        """
        from click.shell_completion import get_completion_class

        kind = get_completion_class(shell)
        assert kind
        click.echo(kind(cli, {}, "ccod", VARIABLE).source())

    return completion
