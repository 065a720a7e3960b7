"""No insecure value is taken, however it is written, and what is wrong is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccod import ConfigError
from ccod.configuration import Configuration
from ccod_http.settings import HttpSettings

INSECURE = [
    *(f'host = "{host}"' for host in ("", " ", "0.0.0.0", "::", "0", "*", "eth0", "10.0.0.1", "localhost ", "::1%lo")),
    *(
        f'host = "{host}"'
        for host in ("fe80::1%eth0", "::ffff:127.0.0.1", "no.such.host.invalid", "127.1", "2130706433")
    ),
    *(
        f'cors_origins = ["http://a", "{origin}"]'
        for origin in ("*", "null", "", "localhost:5173", "http://*.a", "ftp://a")
    ),
    *(f'cors_origins = ["{origin}"]' for origin in ("http://a/b", "http://a b", "https?://.*", "http://")),
    'access = "all"',
    "access = true",
]


@pytest.mark.parametrize("line", INSECURE)
def test_an_insecure_value_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"\n[http]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        Configuration(file, {}).settings({"http": HttpSettings})
    assert str(caught.value).startswith(f"{file}:3: [http] {line.partition(' ')[0]}")


def test_origins_and_hosts_are_compared_without_case_or_last_slash() -> None:
    settings = HttpSettings(cors_origins=["HTTP://LocalHost:5173/"], allowed_hosts=[" My.Box "])
    assert (settings.cors_origins, settings.allowed_hosts) == (["http://localhost:5173"], ["my.box"])


def test_a_thousand_origins_are_fine() -> None:
    assert len(HttpSettings(cors_origins=[f"http://a{n}" for n in range(1000)]).cors_origins) == 1000
