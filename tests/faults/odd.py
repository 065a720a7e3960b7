"""One odd configuration: how to lay it out, and whether what comes of it is what should."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from ccod import ConfigError, Settings
from ccod.configuration import Configuration
from ccod.files import write_private
from ccod_http.settings import HttpSettings
from tests.faults.configurations import SCHEMAS, is_insecure, is_placed


class Odd(Struct):
    """A file, or variables, or what `lay_out` puts into the folder; it `says` what is wrong, or `means` something.

    `FOLDER` in texts is the folder in which the file stands.
    """

    name: str
    toml: str | bytes = ""
    environment: Mapping[str, str] = {}
    says: str = ""
    means: Callable[[Settings], object] = lambda _: True
    lay_out: Callable[[Path], None] | None = None
    line: bool = True
    """Whether a line of the file can be named."""


def http(**values: str) -> str:
    return _table("http", values)


def jwt(**values: str) -> str:
    return _table("jwt", values)


def sqlite(path: str) -> str:
    return _table("sqlite", {"path": path})


def roots(*paths: str) -> str:
    return _table("claude", {"roots": "[" + ", ".join(paths) + "]"})


def _table(name: str, values: Mapping[str, str]) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


def replaced(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Put something else in the place of the file."""

    def lay_out(folder: Path) -> None:
        (folder / "config.toml").unlink()
        make(folder / "config.toml")

    return lay_out


def made(name: str, content: bytes, mode: int = 0o600) -> Callable[[Path], None]:
    def lay_out(folder: Path) -> None:
        write_private(folder / name, content)
        (folder / name).chmod(mode)

    return lay_out


def certificate(folder: Path) -> None:
    make = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=x")
    for name in ("a", "b"):
        files = ("-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"))
        subprocess.run(["openssl", *make, *files], check=True, capture_output=True)
        (folder / f"{name}.key").chmod(0o600)


def tls(certfile: str, keyfile: str) -> str:
    return http(certfile=f'"FOLDER/{certfile}"', keyfile=f'"FOLDER/{keyfile}"')


def port(settings: Settings) -> int:
    return settings[HttpSettings].port


def made_long(file: Path, size: int) -> None:
    with file.open("wb") as opened:
        opened.truncate(size)


def open_key(folder: Path) -> None:
    certificate(folder)
    (folder / "a.key").chmod(0o644)


def trouble(odd: Odd) -> str | None:
    """Read the configuration as `ccod config check` does; return what is not as it should be, or None."""
    with tempfile.TemporaryDirectory() as name:
        folder, file = Path(name), Path(name) / "config.toml"
        write_private(file, odd.toml.replace("FOLDER", name).encode() if isinstance(odd.toml, str) else odd.toml)
        if odd.lay_out:
            odd.lay_out(folder)
        try:
            settings = _read(file, {"HOME": name, **odd.environment})
        except ConfigError as error:
            return _misplaced(odd, str(error), file)
        except Exception as error:  # noqa: BLE001
            return repr(error)
    if odd.says:
        return "taken"
    if is_insecure(settings):
        return "insecure"
    return None if odd.means(settings) else "means something else"


def _read(file: Path, environment: Mapping[str, str]) -> Settings:
    configuration = Configuration(file, environment)
    settings = configuration.settings(SCHEMAS)
    for fault in configuration.faults(settings, SCHEMAS):
        raise fault
    return settings


def _misplaced(odd: Odd, problem: str, file: Path) -> str | None:
    """Return what is wrong with a refusal: it must name what was written, and where."""
    if not odd.says:
        return f"refused: {problem}"
    if not re.search(odd.says, problem):
        return f"says otherwise: {problem}"
    if odd.environment:
        placed = problem.startswith("environment: ")
    else:
        placed = is_placed(problem, file) if odd.line else str(file) in problem
    return None if placed else f"no place: {problem}"
