"""Odd things that a person may write for a setting, by hand and one by one: what is taken for what, what is refused.

python -m tests.faults.odd_settings

What is refused is one line that names the file, the line and the key, or the variable.
"""

# ruff: noqa: E501 - a table reads best with one case a line

from __future__ import annotations

import os
import sys
from pathlib import Path

from ccod.configuration import declared
from ccod_claude.settings import ClaudeSettings
from ccod_http.settings import HttpSettings
from ccod_jwt.settings import JwtSettings
from ccod_sql.settings import SqliteSettings
from tests.faults.configurations import SCHEMAS
from tests.faults.odd import (
    Odd,
    certificate,
    http,
    jwt,
    made,
    made_long,
    open_key,
    port,
    replaced,
    roots,
    sqlite,
    tls,
    trouble,
)

GOOD_KEY = "kT9v2Qw7Zp4Lm8Xc1Rb6Yn3Hs5Jd0Fg-aE"

FILES = [
    Odd("empty", means=lambda s: port(s) == 3000),
    Odd("missing", lay_out=replaced(lambda _: None), says="No such file", line=False),
    Odd("a folder", lay_out=replaced(Path.mkdir), says="no regular file", line=False),
    Odd("a FIFO", lay_out=replaced(os.mkfifo), says="no regular file", line=False),
    Odd("/dev/zero", lay_out=replaced(lambda f: f.symlink_to("/dev/zero")), says="no regular file", line=False),
    Odd("/dev/null", lay_out=replaced(lambda f: f.symlink_to("/dev/null")), says="no regular file", line=False),
    Odd("a loop of links", lay_out=replaced(lambda f: f.symlink_to(f)), says="symbolic link", line=False),
    Odd("100 MB", lay_out=replaced(lambda f: made_long(f, 100_000_000)), says="is longer than", line=False),
    Odd("open to all", http(port="4000"), lay_out=lambda f: (f / "config.toml").chmod(0o644), means=port),
    Odd(
        "a secret open to all",
        jwt(secret=f'"{GOOD_KEY}"'),
        lay_out=lambda f: (f / "config.toml").chmod(0o644),
        says="chmod 6.0",
        line=False,
    ),
    Odd("BOM", b"\xef\xbb\xbf[http]\nport = 4000\n", means=lambda s: port(s) == 4000),
    Odd("CRLF", b"[http]\r\nport = 4000\r\n", means=lambda s: port(s) == 4000),
    Odd("UTF-16", "[http]\nport = 4000\n".encode("utf-16"), says="not UTF-8"),
    Odd("NUL", b"[http]\nport = 4000\n\0", says="not valid TOML"),
    Odd("lone carriage return", b"[http]\rport = 4000\r", says="not valid TOML"),
    Odd("a key twice", "[http]\nport = 1\nport = 2\n", says="overwrite"),
    Odd("a table twice", "[http]\nport = 1\n[http]\nhost = 'x'\n", says="twice"),
    Odd("dotted keys that clash", "http.port = 1\nhttp.port.x = 2\n", says="not valid TOML"),
    Odd("a table where a value is", "[http]\nport = 1\n[http.port]\nx = 2\n", says="not valid TOML"),
    Odd("an unknown key", http(prot="1"), says="did you mean 'http.port'"),
    Odd("an unknown table", "[htpp]\nport = 1\n", says="nothing is called 'htpp'"),
]

NUMBERS = [
    *(
        Odd(f"port = {text}", http(port=text), says=r"\[http\] port = .*: Expected")
        for text in (
            '"3000"',
            "true",
            "1e3",
            "3000.0",
            "3000.5",
            "inf",
            "nan",
            "-1",
            "65536",
            "9223372036854775808",
            '""',
        )
    ),
    Odd("port = 0xbb8", http(port="0xbb8"), means=lambda s: port(s) == 3000),
    Odd("port = 0", http(port="0"), means=lambda s: port(s) == 0),
    Odd('"24h"', jwt(expires_in='"24h"'), means=lambda s: s[JwtSettings].expires_in == 86400),
    Odd('"24 h"', jwt(expires_in='"24 h"'), means=lambda s: s[JwtSettings].expires_in == 86400),
    Odd("24, in seconds too short", jwt(expires_in="24"), says=r"\[jwt\] expires_in: 24.* too short"),
    Odd('"-1s"', jwt(expires_in='"-1s"'), says="expected a number of seconds"),
    Odd("-1", jwt(expires_in="-1"), says="Expected `float` >= 0"),
    Odd("0", jwt(expires_in="0"), says="too short"),
    Odd('"1e99d"', jwt(expires_in='"1e99d"'), says="expected a number of seconds"),
    Odd("refresh before access", jwt(refresh_expires_in='"1h"'), says="less than expires_in"),
    Odd('"16MB"', http(max_body='"16MB"'), means=lambda s: s[HttpSettings].max_body == 16_000_000),
    Odd('"16MiB"', http(max_body='"16MiB"'), means=lambda s: s[HttpSettings].max_body == 2**24),
    Odd('"-1"', http(max_body='"-1"'), says="expected a number of bytes"),
    Odd("rounds = 3", jwt(bcrypt_rounds="3"), says=r"\[jwt\] bcrypt_rounds = 3"),
    Odd("rounds = 4", jwt(bcrypt_rounds="4"), means=lambda s: s[JwtSettings].bcrypt_rounds == 4),
    Odd("rounds = 31, four days a password", jwt(bcrypt_rounds="31"), says="<= 18"),
    Odd("rounds = 32", jwt(bcrypt_rounds="32"), says="<= 18"),
    Odd('rounds = "10"', jwt(bcrypt_rounds='"10"'), says="Expected `int`, got `str`"),
    Odd(
        "rounds from a variable",
        environment={"BCRYPT_SALT_ROUNDS": "10"},
        means=lambda s: s[JwtSettings].bcrypt_rounds == 10,
    ),
]

HOSTS = [
    *(Odd(f"host {host!r}", http(host=f"'{host}'"), says=r"\[http\] host: .* is no address") for host in ("", "eth0", "localhost ", " ", "no.such.name.invalid", "127.1")),
    *(Odd(f"host {host!r}", http(host=f"'{host}'"), says=r"\[http\] host: .* is beyond loopback") for host in ("0.0.0.0", "::", "10.0.0.1")),
    *(Odd(f"host {host!r}", http(host=f"'{host}'"), says=r"\[http\] host: .* cannot be served on") for host in ("fe80::1%eth0", "::ffff:127.0.0.1")),
    *(Odd(f"host {host!r}", http(host=f"'{host}'"), means=lambda s: s[HttpSettings].host) for host in ("localhost", "127.0.0.1", "::1", "127.9.9.9")),
    Odd("beyond loopback with login alone", http(host="'0.0.0.0'", access="'login'"), says="read on the way"),
    Odd("HOST of the shell", environment={"HOST": "my-laptop"}, says="CCOD_HTTP__HOST=localhost"),
]  # fmt: skip

SECRETS = [
    Odd("an empty secret: one is made", jwt(secret='""'), means=lambda s: s[JwtSettings].secret == ""),
    Odd("31 bytes", jwt(secret=f'"{GOOD_KEY[:31]}"'), says=r"\[jwt\] secret: 31 bytes are too few"),
    Odd("32 bytes", jwt(secret=f'"{GOOD_KEY[:32]}"'), means=lambda s: s[JwtSettings].secret == GOOD_KEY[:32]),
    Odd("a sample", jwt(secret='"your-secret-key-here-change-this-in-production"'), says="from a sample"),
    Odd("blanks", jwt(secret='"' + " " * 40 + '"'), says="repeats itself"),
    Odd("counting", jwt(secret='"abcdefghijklmnopqrstuvwxyz0123456789"'), says="repeats itself, or counts"),
    Odd("a sample from the shell", environment={"JWT_SECRET": "secret"}, says=r"environment: JWT_SECRET: \[jwt\] secret"),
    Odd(
        "a file with a line end",
        jwt(secret='{ file = "FOLDER/key" }'),
        lay_out=made("key", f"{GOOD_KEY}\n".encode()),
        means=lambda s: s[JwtSettings].secret == GOOD_KEY,
    ),
    Odd("a file that is no text", jwt(secret='{ file = "FOLDER/key" }'), lay_out=made("key", bytes(range(128, 192))), says="no UTF-8"),
    Odd("an empty file", jwt(secret='{ file = "FOLDER/key" }'), lay_out=made("key", b"\n"), says="is empty"),
    Odd("a file open to all", jwt(secret='{ file = "FOLDER/key" }'), lay_out=made("key", b"x", 0o644), says="chmod 6.0"),
    Odd("a variable that is not set", jwt(secret='{ env = "GONE" }'), says="GONE is not set"),
]  # fmt: skip

ORIGINS = [
    Odd('"*"', http(cors_origins='"*"'), says="Expected `array`, got `str`"),
    *(
        Odd(text, http(cors_origins=f'["{text}"]'), says=r"\[http\] cors_origins: .* is no origin")
        for text in (
            "*",
            "null",
            "",
            "localhost:5173",
            "http://*.example.com",
            "https?://.*",
            "file:///x",
            "http://a/b",
        )
    ),
    Odd(
        "a slash at its end",
        http(cors_origins='["http://localhost:5173/"]'),
        means=lambda s: s[HttpSettings].cors_origins == ["http://localhost:5173"],
    ),
    Odd(
        "1,000 of them",
        http(cors_origins=str([f"http://host-{n}:80" for n in range(1000)])),
        means=lambda s: len(s[HttpSettings].cors_origins) == 1000,
    ),
]

PATHS = [
    *(
        Odd(f"database {text}", sqlite(f'"{text}"'), says=r"\[sqlite\] path: .*is no path of a file")
        for text in ("sqlite://", "sqlite:///x.db", ":memory:", "file:x.db?mode=memory", "postgres://host/db")
    ),
    Odd("database with a password", sqlite('"postgres://me:hun%40ter2@host/db"'), says=r"(?!.*ter2).*is no path"),
    Odd("DATABASE_PATH with one", environment={"DATABASE_PATH": "postgres://me:hunter2@h/d"}, says=r"(?!.*hunter2).*is no path"),
    Odd("no database", sqlite('""'), says="length >= 1"),
    Odd("~", sqlite('"~/x.db"'), means=lambda s: s[SqliteSettings].path == "~/x.db"),
    Odd("~other", sqlite('"~no-such-user/x.db"'), says="no home folder"),
    Odd("NUL", sqlite('"/a\\u0000b"'), says="without a NUL"),
    Odd("$HOME, which nobody replaces", sqlite('"$HOME/x.db"'), means=lambda s: s[SqliteSettings].path == "$HOME/x.db"),
    Odd("a root that is not there yet", roots('"/nowhere/yet"'), means=lambda s: s[ClaudeSettings].roots == ["/nowhere/yet"]),
    Odd("no roots", roots(), means=lambda s: s[ClaudeSettings].roots == []),
    Odd("an empty root", roots('""'), says=r"\[claude\] roots: one of them is empty"),
    Odd("a blank root", roots('"  "'), says="one of them is empty"),
    Odd("a root ~other", roots('"~no-such-user/x"'), says="no home folder"),
    Odd("glob characters", roots('"/a/*[b]?"'), means=lambda s: s[ClaudeSettings].roots == ["/a/*[b]?"]),
    Odd("a line end in a root", roots('"/a\\nb"'), means=lambda s: s[ClaudeSettings].roots == ["/a\nb"]),
    Odd("roots from a variable", environment={"CLAUDE_PROJECTS_PATH": "/a,/b"}, means=lambda s: s[ClaudeSettings].roots == ["/a", "/b"]),
    Odd("a path that is no UTF-8", environment={"CLAUDE_PROJECTS_PATH": "/a\udcff"}, means=lambda s: s[ClaudeSettings].roots == ["/a\udcff"]),
]  # fmt: skip

TLS = [
    Odd("a certificate and its key", tls("a.pem", "a.key"), lay_out=certificate, means=lambda s: s[HttpSettings].keyfile),
    Odd("the key of another", tls("a.pem", "b.key"), lay_out=certificate, says=r"\[http\] keyfile: .* is not the key"),
    Odd("no key", http(certfile='"FOLDER/a.pem"'), says=r"\[http\] certfile: is set, but keyfile"),
    Odd("no certificate there", tls("gone.pem", "gone.key"), says=r"\[http\] certfile: .*No such file"),
    Odd("a folder for a key", tls("a.pem", "."), lay_out=certificate, says=r"\[http\] keyfile: "),
    Odd(
        "a key open to all",
        tls("a.pem", "a.key"),
        lay_out=open_key,
        says="chmod 600",
    ),
]  # fmt: skip

VARIABLES = [
    Odd("every variable empty", environment={field.variable: "" for field in declared(SCHEMAS)}, means=port),
    Odd("an unknown variable", environment={"CCOD_HTTP__PROT": "1"}, says="no setting answers to CCOD_HTTP__PROT"),
    Odd("file < bare variable", http(port="1"), {"PORT": "2"}, means=lambda s: port(s) == 2),
    Odd("bare < own variable", http(port="1"), {"PORT": "2", "CCOD_HTTP__PORT": "3"}, means=lambda s: port(s) == 3),
    Odd("no home", environment={"HOME": ""}, means=port),
]

ALL = [*FILES, *NUMBERS, *HOSTS, *SECRETS, *ORIGINS, *PATHS, *TLS, *VARIABLES]


def main() -> int:
    found = [(odd.name, problem) for odd in ALL if (problem := trouble(odd))]
    for name, problem in found:
        print(f"{name}: {problem}")
    print(f"{len(ALL)} odd settings, {len(found)} not as they should be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
