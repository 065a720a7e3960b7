"""`ccod restore`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import click

from ccod import CcodError, Settings
from ccod_http.printing import printable
from ccod_rest.commands.options import conversation_argument, conversation_id


def restore_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @conversation_argument
    @click.option("--to", type=click.Path(path_type=Path), help="Folder to write to, instead of a new ./CONVERSATION.")
    @click.option(
        "--all", "everything", is_flag=True, help="Restore also what stood there before a file was rewritten."
    )
    @click.option("--force", is_flag=True, help="Overwrite files.")
    def restore(conversation: str, to: Path | None, everything: bool, force: bool) -> None:
        """Give back the files of CONVERSATION, byte for byte as they were read.

        CONVERSATION is an id, the beginning of one, or `latest`.

        Example: ccod restore 0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b --to /tmp/back
        """
        from ccod_http.client import get, stream

        chosen = settings()
        conversation = conversation_id(chosen, conversation)
        route = f"/api/conversations/{quote(conversation, safe='')}/archive"
        archive = get(chosen, route)
        folder = Path(_plain(conversation)) if to is None else to
        _check_folder(folder, archive["watched"])
        files = list(_files(conversation, archive["streams"], everything=everything))
        for name, _ in files:
            if not force and os.path.lexists(folder / name):
                raise CcodError(f"{folder / name}: is there already; use --force to overwrite it, or another --to")
        for name, kept in files:
            _write(folder / name, stream(chosen, f"{route}/{kept['id']}"), kept)
            click.echo(printable(f"{kept['sha256']}  {kept['bytes']:>12}  {folder / name}"))

    return restore


def _check_folder(folder: Path, watched: Iterable[str]) -> None:
    for root in watched:
        if folder.resolve().is_relative_to(Path(root).resolve()):
            raise CcodError(f"{folder}: is below {root}, where ccod only reads; name another folder with --to")


def _files(
    conversation: str, streams: Iterable[dict[str, Any]], *, everything: bool
) -> Iterator[tuple[PurePosixPath, dict[str, Any]]]:
    """Yield where each stream belongs. Of several that belong to one place, the last is what stood there in the end."""
    places: dict[PurePosixPath, list[dict[str, Any]]] = {}
    for stream in streams:
        places.setdefault(_place(conversation, stream), []).append(stream)
    for place, (*earlier, last) in places.items():
        yield place, last
        if everything:
            for number, stream in enumerate(earlier, 1):
                yield place.with_name(f"{place.name}.{number}"), stream


def _place(conversation: str, stream: dict[str, Any]) -> PurePosixPath:
    """Return the path of a stream's file, laid out as Claude Code does it: relative to a project's folder."""
    if stream["agent"] is None and stream["kind"] == "transcript":
        return PurePosixPath(f"{_plain(conversation)}.jsonl")
    _, found, inner = stream["path"].rpartition(f"/{conversation}/")
    names = inner.split("/") if found else ["subagents", f"agent-{stream['agent']}.jsonl"]
    return PurePosixPath(_plain(conversation), *map(_plain, names))


def _plain(name: str) -> str:
    """Return a name that leads into no other folder."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise CcodError(f"{printable(name)!r} is no name for a file; nothing was restored")
    return name


def _write(path: Path, portions: Iterable[bytes], kept: dict[str, Any]) -> None:
    """Write a file for the owner's eyes only; it gets its name once all of it is there and proved right."""
    import hashlib

    unfinished = path.with_name(f".{path.name}.unfinished")
    digest = hashlib.sha256()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            for portion in portions:
                wanted = portion[: kept["bytes"] - file.tell()]  # it may have grown since
                digest.update(wanted)
                file.write(wanted)
        if digest.hexdigest() != kept["sha256"]:
            raise CcodError(f"{path}: did not come as it was kept; restore it again, and see `ccod doctor`")
        unfinished.replace(path)
    except OSError as error:
        raise CcodError(f"{path}: {error.strerror}; name another folder with --to") from error
    finally:
        unfinished.unlink(missing_ok=True)
