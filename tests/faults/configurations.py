"""Mutate configuration files: each is taken, or refused with its place. Never a traceback, never an insecure value.

python -m tests.faults.configurations --count 5000 --seed 1
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import random
import re
import sys
import tempfile
from pathlib import Path

from msgspec import Struct

from ccod import ConfigError, Settings
from ccod.configuration import Configuration
from ccod.example import example
from ccod.files import write_private
from ccod.manager import Manager
from ccod_http.settings import HttpSettings

MANAGER = Manager()
SCHEMAS = MANAGER.schemas()
LINE = re.compile(r"\[([\w.]+)\]|# (\w+) = (.*)")
"""What is set of the example file: the header of a table, and a setting commented out."""

VALUES = [
    *('""', '"x"', '" "', '"3000"', "true", "false", "0", "-1", "1e3", "3000.0", "0x10", "inf", "-inf", "nan", "1e308"),
    *("65536", "9223372036854775808", "1" * 4301, "1979-05-27", "07:32:00", "[]", "[[]]", "{}", "[1]", '["x"]', '[""]'),
    *('"24h"', '"-1s"', '"1e99d"', '"24 h"', '"16MB"', '"16MiB"', '"-1"', '"999999999999999d"', '"1 ms "', '"٣"'),
    *('"0.0.0.0"', '"::"', '"::1"', '"127.0.0.1"', '"127.9.9.9"', '"localhost"', '"localhost "', '"fe80::1%eth0"'),
    *('"eth0"', '"10.0.0.1"', '"::ffff:127.0.0.1"', '["*"]', '["null"]', '["http://localhost:5173/"]', '["http://*"]'),
    *('["localhost"]', '["http://a b"]', '["https?://.*"]', '"*"', '"~"', '"~nobody-there/x"', '"$HOME"', '"relative"'),
    *('"/"', '"/\\u0000"', '"/a\\nb"', '"/\\u202e\\u2028\\u001b[31m"', '{ file = "/etc/hostname" }', "{ file = 1 }"),
    *(
        '{ env = "HOME" }',
        '{ env = "GONE", file = "/x" }',
        "'''\n\n'''",
        '"""a\\\n  b"""',
        "[\n1,\n2\n]",
        '"sqlite:///x"',
    ),
    *(
        "{ a = { b = { c = 1 } } }",
        "{ x = { input = nan, output = 1 } }",
        '{ http = "loud" }',
        '"postgres://u:p%40@h/d"',
    ),
]
PIECES = [
    *(
        "[",
        "]",
        "[[",
        "]]",
        "=",
        '"',
        "'",
        '"""',
        "\\",
        "#",
        ",",
        ".",
        "{",
        "}",
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\0",
        "\x1b[31m",
    ),
    *(
        "\ufeff",
        "\u2028",
        "é",
        "[http]\n",
        "[http.http]\n",
        "[[http]]\n",
        "http = 1\n",
        "http.port = 1\n",
        "port = 1\n",
    ),
    *("x = 1\n", "[x]\n", "[http\n", "[" * 3000, "a." * 3000 + "a = 1\n", "= 1\n", '"" = 1\n', "'http'.\"port\" = 1\n"),
]
MISSPELT = "qxz_-."


class Report(Struct):
    files: int = 0
    taken: int = 0
    refused: int = 0
    raised: int = 0
    misplaced: int = 0
    insecure: int = 0

    @property
    def violations(self) -> int:
        return self.raised + self.misplaced + self.insecure


def defaults() -> dict[tuple[str, ...], str]:
    """Return every setting with its default as the example file has it."""
    table, found = "", {}
    for line in example(SCHEMAS).splitlines():
        if match := LINE.fullmatch(line):
            table = match[1] or table
            if match[2]:
                found[*(table.split(".") if table else ()), match[2]] = match[3]
    return found


DEFAULTS = defaults()


def made(dice: random.Random) -> str:
    """Return a configuration file with a few settings, some of them wrong."""
    lines: dict[tuple[str, ...], list[str]] = {}
    wrong = dice.choice((0.05, 0.5))
    for path in dice.sample(list(DEFAULTS), dice.randint(1, 6)):
        key = path[-1]
        if dice.random() < 0.03:
            at = dice.randrange(len(key) + 1)
            key = key[:at] + dice.choice(MISSPELT) + key[at + dice.randrange(2) :]
        value = dice.choice(VALUES) if dice.random() < wrong else DEFAULTS[path]
        lines.setdefault(path[:-1], []).append(f"{key} = {value}\n")
    return "".join((f"[{'.'.join(table)}]\n" if table else "") + "".join(said) for table, said in sorted(lines.items()))


def mutated(text: str, dice: random.Random) -> bytes:
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2))):
        at = dice.randrange(len(text) + 1)
        match dice.randrange(4):
            case 0:
                text = text[:at] + dice.choice(PIECES) + text[at:]
            case 1:
                text = text[:at] + text[at + dice.randint(1, 20) :]
            case 2:
                text = text[:at] + text[dice.randrange(len(text) + 1) :][: dice.randint(1, 40)] + text[at:]
            case _:
                text = text[:at] + chr(dice.randrange(0x80)) + text[at + 1 :]
    data = bytearray(text.encode())
    match dice.randrange(20):
        case 0:
            data[dice.randrange(len(data) + 1) :] = bytes([dice.randrange(0x80, 0x100)])
        case 1:
            data[:0] = b"\xef\xbb\xbf"
        case 2:
            return text.encode("utf-16")
        case 3:
            return text.replace("\n", "\r\n").encode()
    return bytes(data)


def is_insecure(settings: Settings) -> bool:
    http = settings[HttpSettings]
    outside = http.host.lower() != "localhost" and not ipaddress.ip_address(http.host).is_loopback
    open_door = outside and (http.access != "login" or not (http.certfile or http.insecure))
    return open_door or any(not re.fullmatch(r"https?://[^/*\s]+", origin) for origin in http.cors_origins)


def is_placed(problem: str, file: Path) -> bool:
    """Tell whether an error is one line that names the file, a line of it, and what is wrong there."""
    pattern = (
        rf"{re.escape(str(file))}:[1-9]\d*: (\[[\w.]+\] \w+|[a-z_]+\b|nothing is called|not valid TOML|not UTF-8).*"
    )
    return re.fullmatch(pattern, problem) is not None


def configurations(count: int, seed: int) -> Report:
    dice, report = random.Random(seed), Report()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.toml"
        for _ in range(count):
            content = mutated(made(dice), dice)
            write_private(file, content)
            report.files += 1
            try:
                settings = Configuration(file, {"HOME": folder}).settings(SCHEMAS)
            except ConfigError as error:
                report.refused += 1
                if not is_placed(str(error), file):
                    report.misplaced += 1
                    print(f"no place: {error}\n{content[:500]!r}")
            except Exception as error:  # noqa: BLE001
                report.raised += 1
                print(f"{error!r}\n{content[:500]!r}")
            else:
                report.taken += 1
                if is_insecure(settings):
                    report.insecure += 1
                    print(f"insecure:\n{content[:500]!r}")
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.configurations", description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    report = configurations(arguments.count, arguments.seed)
    print(json.dumps({"seed": arguments.seed} | {name: getattr(report, name) for name in report.__struct_fields__}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
