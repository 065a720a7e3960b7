"""The redactor by itself, and what it keeps out of logs."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from ccod import Block, Content, Redactor, SecretRule, log
from ccod.limits import LIMITS
from ccod.redaction import entropy
from ccod.settings import CoreSettings

RULES = [
    SecretRule("ticket", r"tick_[a-z0-9]{16}", starts=("tick_",)),
    SecretRule("pin", r"(?i:pin)=(?P<secret>\d{4,8}+)", words=("pin",)),
    SecretRule("seal", r"SE\.[A-Za-z]{16,}+", starts=("SE.",), entropy=3.0),
]
REDACTOR = Redactor(RULES)
TICKET = "tick_0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"a {TICKET}, b", "a «redacted:ticket», b"),
        (f"{TICKET}{TICKET}", "«redacted:ticket»«redacted:ticket»"),
        ("Pin=1234 PIN=99999 pin=x", "Pin=«redacted:pin» PIN=«redacted:pin» pin=x"),
        ("İİ pin=1234", "İİ pin=«redacted:pin»"),
        ("SE.abcdefghijklmnopq", "«redacted:seal»"),
        ("SE.aaaaaaaaaaaaaaaaa", "SE.aaaaaaaaaaaaaaaaa"),
        ("\ud800 pin=1234", "\ud800 pin=«redacted:pin»"),
        ("", ""),
    ],
)
def test_secrets_are_masked(text: str, masked: str) -> None:
    assert REDACTOR.mask(text) == masked
    assert Redactor().mask(text) == text


def test_content_is_masked_in_all_its_parts() -> None:
    blocks = [Block("text", text=f"x {TICKET}"), Block("toolUse", id="1", input={"pin": "5", "all": [f"{TICKET}"]})]
    masked = REDACTOR.mask_content(Content(f"x {TICKET}", blocks))
    assert masked.text == "x «redacted:ticket»"
    assert masked.blocks[0].text == masked.text
    assert masked.blocks[1].input == {"pin": "5", "all": ["«redacted:ticket»"]}


def test_what_is_nested_too_deeply_is_left_out() -> None:
    value: object = TICKET
    for _ in range(10_000):
        value = [value]
    assert TICKET not in repr(REDACTOR.mask_all(value))


def test_entropy() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2


def test_logs_hold_no_secret() -> None:
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log.set_up(CoreSettings(), stream, REDACTOR)
    try:
        structlog.get_logger("ccod.test").warning(f"event {TICKET}", value=TICKET, nested={"x": [TICKET]})
        try:
            raise ValueError(TICKET)
        except ValueError:
            logging.getLogger("ccod.other").exception("failed with %s", TICKET)
    finally:
        structlog.reset_defaults()
        root.handlers, root.level = handlers, level
    assert TICKET not in stream.getvalue()
    assert stream.getvalue().count("redacted:ticket") >= 5


@pytest.fixture
def no_patience() -> Iterator[None]:
    before, LIMITS.mask = LIMITS.mask, 0.0
    yield
    LIMITS.mask = before


@pytest.mark.usefixtures("no_patience")
def test_what_a_rule_that_was_given_up_would_look_at_is_withheld() -> None:
    told: list[float] = []
    redactor = Redactor(RULES, {1: told.append})
    assert redactor.mask(f"{TICKET} pin=1234") == "«redacted:ticket» pin=«redacted:pin»"
    for text in ("pin=1234", f"{TICKET} my Pin, and what is not masked"):
        assert redactor.mask(text) == "«withheld:pin»"
    assert redactor.mask_all({"pin": "1234", "other": [TICKET]}) == {
        "«withheld:pin»": "«withheld:pin»",
        "other": ["«redacted:ticket»"],
    }
    assert redactor.mask(f"{TICKET} only") == "«redacted:ticket» only"
    assert len(told) == 1
    assert told[0] > 0


@pytest.mark.usefixtures("no_patience")
def test_a_rule_that_nobody_watches_is_never_given_up() -> None:
    assert [REDACTOR.mask("pin=1234") for _ in range(2)] == ["pin=«redacted:pin»"] * 2
