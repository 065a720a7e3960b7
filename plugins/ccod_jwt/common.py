"""Passwords that everybody tries first.

The words are our own choice of what such a password is built from: each list of leaked passwords that was published is
led by them, their repetitions, and what the keyboard offers in a row. Recognised is the kind, not the single text:
`Passw0rd!`, `admin2024` and `qwertyqwerty` stand in no list here and are refused.
"""

from __future__ import annotations

from itertools import pairwise

_WORDS = """
    password passwort passphrase passcode motdepasse contrasena pass secret secrets topsecret letmein letmeinnow
    welcome welcomeback login logon signin access changeme changeit default guest test testing tester temp temporary
    admin administrator adminadmin root rootroot superuser sysadmin system user username master hello helloworld
    iloveyou ilove loveyou lovely love princess sunshine football baseball basketball soccer superman batman spiderman
    pokemon starwars dragon monkey shadow michael jennifer jordan charlie daniel jessica ashley summer winter spring
    autumn monday january december flower freedom whatever trustno nothing computer internet server database google
    facebook microsoft windows apple android claude anthropic chatgpt openai ccod observatory claudecode
    correcthorsebatterystaple mypassword yourpassword newpassword oldpassword nopassword thepassword
"""
WORDS = frozenset(_WORDS.split())
ROWS = ("1234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm")
_COLUMNS = "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"
_LEET = str.maketrans("013457@$!", "oieastasi")
_ADDED = "0123456789!@#$%^&*()-_=+.,?~ "


def is_common(password: str) -> bool:
    """Tell whether a password is of a kind that is guessed first."""
    folded = password.casefold()
    if _is_easy(unit(folded)):
        return True
    bare = folded.strip(_ADDED)
    readings = {folded, bare, folded.translate(_LEET), bare.translate(_LEET)}
    return any(unit(each) in WORDS for each in readings)


def unit(text: str) -> str:
    """Return what a text repeats: `abc` of `abcabcabc`."""
    at = (text + text).find(text, 1) if text else 0
    return text[:at]


def _is_easy(text: str) -> bool:
    """Tell whether a text is a few characters, or made of keys that lie in a row."""
    if len(text) <= 4 or len(set(text)) <= 2:
        return True
    runs = 1 + sum(not _adjoin(before, after) for before, after in pairwise(text))
    return runs * 4 <= len(text) or text in _COLUMNS


def _adjoin(before: str, after: str) -> bool:
    pair = before + after
    return before == after or any(pair in row + row[0] or pair in row[::-1] for row in ROWS)
