"""Tokens that nobody must believe."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def signed(header: Any, payload: Any, key: bytes, digest: Any = hashlib.sha256) -> str:
    text = f"{encoded(header)}.{encoded(payload)}"
    return f"{text}.{encoded(hmac.digest(key, text.encode(), digest))}"


def forged(access: str, refresh: str, key: bytes, other: str) -> Iterator[tuple[str, str]]:
    """Yield tokens by name, from a login's good ones, the key that signed them, and another account's id."""
    header, payload, signature = access.split(".")
    head, claims = decoded(header), decoded(payload)
    now = int(time.time())

    yield "a refresh token", refresh
    for name in ("none", "None", "NONE", "nOnE"):
        yield f"alg {name}", f"{encoded(head | {'alg': name})}.{payload}."
        yield f"alg {name}, signed", signed(head | {"alg": name}, claims, key)
    yield "no signature", f"{header}.{payload}."
    yield "two parts", f"{header}.{payload}"
    yield "four parts", f"{access}.{signature}"
    yield "five parts", f"{header}..{payload}.{signature}.x"
    yield "alg HS512", signed(head | {"alg": "HS512"}, claims, key, hashlib.sha512)
    for name in ("RS256", "ES256", "PS256", "EdDSA", "HS257"):
        yield f"alg {name}", signed(head | {"alg": name}, claims, key)
    yield "alg a list", signed(head | {"alg": ["HS256"]}, claims, key)
    yield "alg null", signed(head | {"alg": None}, claims, key)
    yield "alg missing", signed({name: value for name, value in head.items() if name != "alg"}, claims, key)
    for name, kid in {
        "missing": None,
        "unknown": "00000000",
        "a path": "../../dev/null",
        "SQL": "' OR 1=1 --",
        "a list": [head["kid"]],
        "a number": 1,
        "long": "x" * 2000,
        "empty": "",
    }.items():
        yield f"kid {name}", signed(head | {"kid": kid}, claims, key)
        yield f"kid {name}, an empty key", signed(head | {"kid": kid}, claims, b"")
    yield "another key", signed(head, claims, b"q" * 32)
    yield "an empty key", signed(head, claims, b"")
    yield "crit", signed(head | {"crit": ["exp"]}, claims, key)
    yield "b64 false", signed(head | {"b64": False}, claims, key)
    for name in ("jku", "x5u", "jwk"):
        yield f"{name} and another key", signed(head | {name: "http://127.0.0.1/key"}, claims, b"q" * 32)
    for name in ("exp", "iat", "nbf", "sub", "iss", "aud", "jti", "typ", "sid"):
        yield f"no {name}", signed(head, {other: value for other, value in claims.items() if other != name}, key)
    changed: dict[str, dict[str, Any]] = {
        "expired": {"exp": now - 60},
        "exp text": {"exp": "soon"},
        "exp true": {"exp": True},
        "exp negative": {"exp": -1},
        "exp half": {"exp": now + 1000.5},
        "exp null": {"exp": None},
        "not yet": {"nbf": now + 600},
        "made tomorrow": {"iat": now + 86400},
        "another issuer": {"iss": "urn:ccod:other"},
        "another audience": {"aud": "urn:ccod:other"},
        "audience in a list": {"aud": [claims["aud"]]},
        "audience in capitals": {"aud": claims["aud"].upper()},
        "sub a number": {"sub": 1},
        "sub nobody": {"sub": ""},
        "sub the owner": {"sub": "owner"},
        "sub of no account": {"sub": "user_0"},
        "sub another": {"sub": other},
        "sub in capitals": {"sub": claims["sub"].upper()},
        "sid of nobody": {"sid": "login_0"},
        "sid an account": {"sid": claims["sub"]},
        "typ refresh": {"typ": "refresh"},
        "typ in capitals": {"typ": "ACCESS"},
        "typ a list": {"typ": ["access"]},
    }
    for name, change in changed.items():
        yield name, signed(head, claims | change, key)
    for name, text in {"exp NaN": "NaN", "exp huge": "1e99", "exp infinite": "Infinity"}.items():
        yield name, signed(head, json.dumps(claims | {"exp": "@"}).replace('"@"', text).encode(), key)
    yield "deeply nested", signed(head, b'{"a":' * 500 + b"1" + b"}" * 500, key)
    yield "payload a list", signed(head, [claims], key)
    yield "payload no JSON", signed(head, b"\xff\xfe", key)
    yield "header no JSON", f"{encoded(b'x')}.{payload}.{signature}"
    for number in range(1, 6):
        at = ALPHABET.index(signature[-1]) ^ number
        yield f"another last letter {number}", access[:-1] + ALPHABET[at]
    yield "a padded signature", access + "="
    yield "another first letter", f"{header}.{payload}.{ALPHABET[ALPHABET.index(signature[0]) ^ 1]}{signature[1:]}"
    yield "a space within", access.replace(".", ". ", 1)
    yield "twice", f"Bearer {access}"
    yield "long", access + "A" * 3500
    yield "an API key that is none", "ccod_" + "A" * 43
    yield "an API key's start", "ccod_"
