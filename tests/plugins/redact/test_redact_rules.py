"""What is masked, what is left alone, and that no text takes long."""

from __future__ import annotations

import json
import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod import Redactor
from ccod_redact.rules import RULES
from tests.plugins.redact.canaries import benign, canaries

REDACTOR = Redactor(RULES)
CANARIES = canaries()


def core(secret: str) -> str:
    """Return the random part of a canary, which must not be seen."""
    found: list[str] = re.findall(r"[A-Za-z0-9_\-+#]{9,}", secret)
    return max(found, key=len)


def shell(secret: str) -> str:
    return f"$ export THE_VALUE='{secret}' && make deploy\n"


def in_json(secret: str) -> str:
    return json.dumps({"name": "x", "value": f"first\n{secret}\nlast", "n": 1})


def in_json_twice(secret: str) -> str:
    return json.dumps({"stdout": in_json(secret)})


def in_many_lines(secret: str) -> str:
    return f"# notes\r\n\tvalue: {secret}\r\n- {secret},\n> {secret}\n"


DISGUISES = [str, shell, in_json, in_json_twice, in_many_lines]


def test_there_are_sixty_kinds() -> None:
    assert len(CANARIES) >= 60
    assert len({rule.kind for rule in RULES}) >= 60


@pytest.mark.parametrize("disguise", DISGUISES, ids=lambda disguise: disguise.__name__)
def test_canaries_are_masked(disguise: type[str]) -> None:
    missed = [kind for kind, secret in CANARIES.items() if core(secret) in REDACTOR.mask(disguise(secret))]
    assert missed == []


def test_canaries_are_masked_whatever_their_letters() -> None:
    drawn = [(kind, secret) for seed in range(2, 22) for kind, secret in canaries(seed).items()]
    missed = [kind for kind, secret in drawn if core(secret) in REDACTOR.mask(secret)]
    assert len(missed) <= len(drawn) * 0.02, missed


def test_benign_lines_are_left_alone() -> None:
    lines = benign(1000)
    changed = [line for line in lines if REDACTOR.mask(line) != line]
    assert len(changed) <= 10, changed[:10]


def test_the_mask_names_the_kind_and_leaves_the_rest() -> None:
    key = CANARIES["aws access"]
    assert REDACTOR.mask(f"id: {key}, region") == "id: «redacted:aws-access-key», region"
    assert REDACTOR.mask("DB_PASSWORD=h7!kPq2x# next") == "DB_PASSWORD=«redacted:secret» next"
    assert REDACTOR.mask("postgres://me:pa55w0rd@db/x") == "postgres://me:«redacted:password-in-url»@db/x"


def test_a_key_that_was_cut_off_is_masked_as_far_as_it_goes() -> None:
    key = CANARIES["rsa key"]
    assert REDACTOR.mask(key[:500]) == "«redacted:private-key»"


def test_a_member_is_masked_for_its_name() -> None:
    value = {"config": [{"api_key": "Zx81!qpL0mW", "name": "Zx81!qpL0mW"}], CANARIES["github"]: None, "n": 2**70}
    assert REDACTOR.mask_all(value) == {
        "config": [{"api_key": "«redacted:secret»", "name": "Zx81!qpL0mW"}],
        "«redacted:github-token»": None,
        "n": 2**70,
    }


@given(st.text())
def test_what_is_masked_stays_masked(text: str) -> None:
    once = REDACTOR.mask(text + CANARIES["github"] + "\n" + text)
    assert REDACTOR.mask(once) == once


def test_no_rule_takes_more_than_linear_time() -> None:
    """Each rule alone, on what begins like its secrets again and again and never becomes one."""
    common = [
        "a",
        "A0",
        "-",
        "_.",
        "=",
        ": ",
        "\n",
        "eyJ",
        "M-",
        "password=",
        "token:",
        "pwd",
        "://a:",
        "key=a",
        "--a-",
    ]
    common += ["-----BEGIN PRIVATE KEY-----", "--token ", "secret-", "/api/webhooks/12345678901234567/", "\\n"]
    slowest = 0.0
    for rule in RULES:
        pattern = re.compile(rule.pattern)
        starts = rule.starts[:2]
        for piece in {*(common if not starts else ["a-"]), *starts, *(start + "a" * 15 for start in starts)}:
            text = (piece * (100_000 // len(piece) + 1))[:100_000]
            begin = time.process_time()
            pattern.sub("", text)
            slowest = max(slowest, time.process_time() - begin)
    assert slowest < 1.0, "quadratic work on 100 kB would take many seconds"


def test_every_rule_is_bounded() -> None:
    """A repetition of a repetition is the seed of exponential time."""
    for rule in RULES:
        assert not re.search(r"\([^()?]*[+*]\)[+*](?!\+)", rule.pattern), rule.kind


def test_random_bytes_are_no_secret() -> None:
    rng = random.Random(5)
    for _ in range(200):
        text = rng.randbytes(500).decode("latin-1")
        assert REDACTOR.mask(text) == text
