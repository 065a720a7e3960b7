"""Opaque cursors: where a list goes on, written so that one of another list, or a damaged one, is recognised."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b

import msgspec

from ccod import Key
from ccod_http.problems import current, wrong_cursor

BESIDE = {"cursor", "page", "limit"}
"""Parameters that may differ between one page of a list and the next."""
DIGEST_BYTES = 6


def write_cursor(key: Key) -> str:
    """Return what stands for `key` in the list that the current request asks for."""
    said = msgspec.json.encode(key)
    return urlsafe_b64encode(_digest(said) + said).rstrip(b"=").decode()


def read_cursor(text: str) -> Key:
    """Return the key that a cursor stands for, or raise a Problem where it is none of the list asked for."""
    try:
        read = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        digest, said = read[:DIGEST_BYTES], read[DIGEST_BYTES:]
        if digest != _digest(said):
            raise wrong_cursor()
        return msgspec.json.decode(said, type=tuple[int | str, ...])
    except ValueError:
        raise wrong_cursor() from None


def _digest(said: bytes) -> bytes:
    """It binds a cursor to its list. It keeps nothing secret: a storage checks the keys that it is given."""
    asked = current()
    same = sorted((name, value) for name, value in asked.args.items() if name not in BESIDE)
    return blake2b(msgspec.json.encode([asked.path, same]) + said, digest_size=DIGEST_BYTES).digest()
