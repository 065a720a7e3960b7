"""`ccod man`: manual pages, and one page of Markdown, made from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from ccod.errors import CcodError
from ccod.version import __version__

Node = tuple[tuple[str, ...], click.Command, click.Context]
"""The words of a command, the command, and the context in which it knows its options."""

EXIT_CODES = (
    ("0", "It went well; the daemon was told to stop."),
    ("1", "It failed, or what was asked for was not found or is not well."),
    ("2", "Wrong use of the command line."),
    ("69", "No daemon answers, its port is taken, or something else that it needs is not to be had."),
    ("75", "Another daemon holds the database, or it cannot be written."),
    ("78", "The configuration is wrong."),
    ("130", "It was interrupted by Ctrl-C."),
    ("141", "Who read its output went away before the end, as `head` does. Nothing is said then."),
)

HEAD = (
    "# Commands",
    "",
    "Made by `ccod man --markdown`, which a test holds to the commands. Every command also takes `--config FILE`,",
    "`--set NAME=VALUE` and `--help`. With `--json` it prints one JSON object, whose `schemaVersion` grows when",
    "something is taken away or means something else. Colour is for terminals, where `NO_COLOR` keeps it away.",
    "",
    "| Exit code | Meaning |",
    "|---|---|",
)


def man_command(cli: click.Group) -> click.Command:
    """Return the command that writes the pages of `cli`."""

    @click.command()
    @click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
    @click.option("--markdown", "as_markdown", is_flag=True, help="Print one page of Markdown instead.")
    def man(folder: Path | None, as_markdown: bool) -> None:
        """Write a manual page for each command into FOLDER; ~/.local/share/man/man1 unless given.

        Example: ccod man && man ccod-usage-daily
        """
        if as_markdown:
            click.echo(markdown(cli), nl=False)
            return
        target = folder or Path("~/.local/share/man/man1").expanduser()
        nodes = list(walk(cli))
        try:
            target.mkdir(parents=True, exist_ok=True)
            for words, command, context in nodes:
                (target / f"{'-'.join(words)}.1").write_text(page(words, command, context), encoding="utf-8")
        except OSError as error:
            raise CcodError(f"{target}: {error.strerror or error}; name another folder") from error
        click.echo(f"{target}: {len(nodes)} pages")

    return man


def walk(
    command: click.Command, words: tuple[str, ...] = ("ccod",), above: click.Context | None = None
) -> Iterator[Node]:
    """Yield a command and all below it, in the order of their names."""
    context = click.Context(command, parent=above, info_name=words[-1])
    yield words, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (inner := command.get_command(context, name)) and not inner.hidden:
                yield from walk(inner, (*words, name), context)


def page(words: tuple[str, ...], command: click.Command, context: click.Context) -> str:
    """Return the manual page of a command, for man(7)."""
    first, *rest = paragraphs(command)
    lines = [
        f'.TH "{"-".join(words).upper()}" "1" "" "ccod {__version__}" "ccod"',
        ".SH NAME",
        f"{_roff('-'.join(words))} \\- {_roff(first.rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_roff(' '.join(words))}",
        _roff(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
        _roff(first),
    ]
    for text in rest:
        lines += [".PP", _roff(text)]
    lines += [".SH OPTIONS"]
    for name, help_text in options(command, context):
        lines += [".TP", f".B {_roff(name)}", _roff(help_text)]
    if isinstance(command, click.Group):
        lines += [".SH COMMANDS"]
        for name in command.list_commands(context):
            lines += [".TP", f".BR {_roff('-'.join((*words, name)))} (1)", _roff(_summary(command, context, name))]
    lines += [".SH EXIT STATUS"]
    for code, text in EXIT_CODES:
        lines += [".TP", f".B {code}", text]
    return "\n".join(lines) + "\n"


def markdown(cli: click.Group) -> str:
    """Return docs/commands.md."""
    lines = [*HEAD, *(f"| {code} | {text} |" for code, text in EXIT_CODES)]
    for words, command, context in walk(cli):
        usage = " ".join([*words, *command.collect_usage_pieces(context)])
        lines += ["", f"## `{' '.join(words)}`", "", f"    {usage}"]
        for text in paragraphs(command):
            _, is_example, example = text.partition("Example: ")
            lines += ["", f"Example: `{example}`" if is_example else text.replace("*", "\\*")]
        own = [
            each for each in options(command, context) if not each[0].startswith(("--config", "--set ", "-h", "--help"))
        ]
        lines += ["", "| Option | Meaning |", "|---|---|"] if own else []
        lines += ["| `{}` | {} |".format(*(cell.replace("|", "\\|") for cell in each)) for each in own]
    return "\n".join(lines) + "\n"


def paragraphs(command: click.Command) -> list[str]:
    """Return what a command's help says, a paragraph each; one that is to stand as it is becomes a line each."""
    text = (command.help or "").replace("\b\n", "")
    return [" ".join(each.split()) for each in re.split(r"\n\s*\n", text.strip())]


def options(command: click.Command, context: click.Context) -> list[tuple[str, str]]:
    found = (parameter.get_help_record(context) for parameter in command.get_params(context))
    return [record for record in found if record]


def _summary(group: click.Group, context: click.Context, name: str) -> str:
    command = group.get_command(context, name)
    return paragraphs(command)[0] if command else ""


def _roff(text: str) -> str:
    """Write a text so that troff obeys nothing in it."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^(?=[.'])", "\\\\&", text)
