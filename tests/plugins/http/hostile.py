"""Requests that nobody means well with, as raw bytes, by what is odd about each; and how each is answered.

A row is the bytes, one write for each part, and the status. To add one, add a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

Row = tuple[tuple[bytes, ...], int]

HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"


def raw(line: bytes, headers: bytes = HOST + CLOSE, body: bytes = b"") -> bytes:
    return line + b"\r\n" + headers + b"\r\n" + body


def get(path: str | bytes, *headers: bytes) -> bytes:
    path = path.encode() if isinstance(path, str) else path
    return raw(b"GET " + path + b" HTTP/1.1", HOST + CLOSE + b"".join(each + b"\r\n" for each in headers))


def post(headers: bytes, body: bytes = b"", path: bytes = b"/health") -> bytes:
    return raw(b"POST " + path + b" HTTP/1.1", HOST + CLOSE + headers, body)


def host(value: bytes) -> bytes:
    return raw(b"GET /api/projects HTTP/1.1", b"Host: " + value + b"\r\n" + CLOSE)


def method(name: bytes, target: bytes = b"/api/projects") -> bytes:
    return raw(name + b" " + target + b" HTTP/1.1")


CHUNKED = b"Transfer-Encoding: chunked\r\n"

FRAMING: Mapping[str, Row] = {
    "HTTP/0.9": ((b"GET /\r\n\r\n",), 400),
    "HTTP/1.0 without a host": ((b"GET /health HTTP/1.0\r\n\r\n",), 421),
    "HTTP/2.0 in words": ((raw(b"GET / HTTP/2.0"),), 505),
    "HTTP/9.9": ((raw(b"GET / HTTP/9.9"),), 505),
    "a version that is none": ((raw(b"GET / HTTP/x"),), 400),
    "a preface and a frame": ((b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",), 505),
    "TLS": ((b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",), 400),
    "random bytes": ((bytes(range(256)) + b"\r\n\r\n",), 400),
    "nothing but line ends": ((b"\r\n" * 100,), 400),
    "a lone line feed": ((b"\n\n\n\n",), 400),
    "two lengths that agree": ((post(b"Content-Length: 1\r\nContent-Length: 1\r\n", b"x"),), 405),
    "two lengths that differ": ((post(b"Content-Length: 1\r\nContent-Length: 2\r\n", b"xx"),), 400),
    "a list of lengths": ((post(b"Content-Length: 1, 2\r\n", b"xx"),), 400),
    "a negative length": ((post(b"Content-Length: -1\r\n"),), 400),
    "a length with a sign": ((post(b"Content-Length: +5\r\n", b"12345"),), 400),
    "a hexadecimal length": ((post(b"Content-Length: 0x5\r\n", b"12345"),), 400),
    "a length in words": ((post(b"Content-Length: five\r\n"),), 400),
    "a length beyond all": ((post(b"Content-Length: 99999999999999999999999\r\n"),), 400),
    "length and chunks": ((post(b"Content-Length: 3\r\n" + CHUNKED, b"0\r\n\r\n"),), 400),
    "chunks and length": ((post(CHUNKED + b"Content-Length: 3\r\n", b"0\r\n\r\n"),), 400),
    "an unknown encoding": ((post(b"Transfer-Encoding: xchunked\r\n"),), 501),
    "an encoding twice": ((post(b"Transfer-Encoding: chunked, chunked\r\n"),), 501),
    "an encoding behind another": ((post(b"Transfer-Encoding: gzip, chunked\r\n"),), 501),
    "a chunk of bad size": ((post(CHUNKED, b"zz\r\nabc\r\n0\r\n\r\n"),), 400),
    "a chunk of negative size": ((post(CHUNKED, b"-1\r\nabc\r\n0\r\n\r\n"),), 400),
    "a chunk of boundless size": ((post(CHUNKED, b"f" * 21 + b"\r\nabc\r\n"),), 400),
    "a chunk without its end": ((post(CHUNKED, b"3\r\nabcdef\r\n0\r\n\r\n"),), 400),
    "a chunk size with a sign": ((post(CHUNKED, b"+3\r\nabc\r\n0\r\n\r\n"),), 400),
    "a hexadecimal chunk size": ((post(CHUNKED, b"0x3\r\nabc\r\n0\r\n\r\n"),), 400),
    "a chunk with an extension": ((post(CHUNKED, b"3;a=b\r\nabc\r\n0\r\n\r\n"),), 405),
    "a trailer of headers": ((post(CHUNKED, b"0\r\nHost: evil.com\r\nContent-Length: 5\r\n\r\n"),), 405),
    "an encoding that is none": ((post(b"Transfer-Encoding: identity\r\n", b"x"),), 501),
    "an encoding behind a control character": ((post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),), 400),
    "a length of nothing": ((post(b"Content-Length: \r\n", b"x"),), 400),
    "a length with a low line": ((post(b"Content-Length: 1_0\r\n", b"x" * 10),), 400),
    "a length in Arabic digits": ((post("Content-Length: \u0661\r\n".encode(), b"x"),), 400),
    "an upgrade to h2c": (
        (
            raw(
                b"GET /health HTTP/1.1",
                HOST + b"Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
            ),
        ),
        200,
    ),
    "a folded header": ((raw(b"GET /health HTTP/1.1", HOST + CLOSE + b"X: a\r\n b\r\n"),), 200),
    "a folded first header": ((raw(b"GET /health HTTP/1.1", b" X: a\r\n" + HOST + CLOSE),), 400),
    "bare line feeds": ((b"GET /health HTTP/1.1\nHost: localhost\nConnection: close\n\n",), 200),
    "a zero byte in a header": ((get("/health", b"X: a\0b"),), 400),
    "a carriage return in a header": ((get("/health", b"X: a\rb"),), 400),
    "a header name with a blank": ((get("/health", b"X Y: a"),), 400),
    "a blank before the colon": ((get("/health", b"X : a"),), 400),
    "a header without a name": ((get("/health", b": a"),), 400),
    "a header without a colon": ((get("/health", b"nonsense"),), 400),
    "a header that is not ASCII": ((get("/health", b"X: \xff\xfe"),), 200),
    "a header of 17 kB": ((get("/health", b"X: " + b"x" * 17_000),), 431),
    "a thousand headers": ((get("/health", *(b"X%d: x" % number for number in range(1000))),), 431),
    "a hundred and one small headers": ((get("/health", *(b"X%d: x" % number for number in range(99))),), 431),
    "headers without end": ((b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 40_000,), 431),
    "a first line without end": ((b"GET /" + b"x" * 40_000,), 414),
    "a path of 9 kB": ((get("/" + "x" * 9000),), 414),
    "a query of 9 kB": ((get("/api/projects?search=" + "x" * 9000),), 414),
    "a body where none belongs": ((raw(b"GET /health HTTP/1.1", HOST + CLOSE + b"Content-Length: 2\r\n", b"{}"),), 200),
    "a body that is too long": ((post(b"Content-Length: 2000000\r\n", b"x" * 2_000_000),), 413),
    "chunks that are too long": ((post(CHUNKED, (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 20 + b"0\r\n\r\n"),), 413),
    "an expectation that is none": ((post(b"Expect: miracles\r\nContent-Length: 0\r\n"),), 405),
    "a byte behind the request": ((raw(b"GET /health HTTP/1.1", HOST + CLOSE) + b"x",), 400),
    "headers of choice that are not ASCII": (
        (get("/health", b"Accept-Encoding: \xff", b"If-None-Match: \xff", b"Accept: \xff", b"Range: bytes=\xff"),),
        200,
    ),
    "headers of choice that are nonsense": (
        (get("/api/projects", b"Accept-Encoding: ;q=,,gzip;q=9e9", b'If-None-Match: W/,"', b"If-Modified-Since: x"),),
        200,
    ),
    "a token that is not ASCII": ((get("/api/projects", b"Authorization: Bearer \xff"),), 401),
    "a token twice": ((get("/api/projects", b"Authorization: Bearer a", b"Authorization: Bearer b"),), 401),
    "a cookie of nonsense": ((get("/health", b"Cookie: \xff=;;;="),), 200),
    "a request behind garbage": ((b"garbage\r\n\r\n" + get("/health"),), 400),
}

METHODS: Mapping[str, Row] = {
    "TRACE": ((method(b"TRACE"),), 405),
    "CONNECT": ((method(b"CONNECT", b"example.org:443"),), 400),
    "PROPFIND": ((method(b"PROPFIND"),), 405),
    "a method in small letters": ((method(b"get"),), 200),
    "a method of 1 kB": ((method(b"X" * 1000),), 405),
    "a method that is none": ((method(b"G@T"),), 400),
    "OPTIONS of everything": ((method(b"OPTIONS", b"*"),), 404),
    "another method in a header": ((get("/api/projects", b"X-HTTP-Method-Override: DELETE"),), 200),
    "a preflight into a private network": (
        (
            raw(
                b"OPTIONS /api/projects HTTP/1.1",
                HOST + CLOSE + b"Access-Control-Request-Private-Network: true\r\n"
                b"Access-Control-Request-Method: GET\r\nOrigin: http://evil.example\r\n",
            ),
        ),
        403,
    ),
}

HOSTS: Mapping[str, Row] = {
    f"host {value!r}": ((host(value),), status)
    for value, status in {
        b"": 421,
        b"evil.com": 421,
        b"evil.com:3000": 421,
        b"localhost.evil.com": 421,
        b"127.0.0.1.evil.com": 421,
        b"localhost.": 421,
        b"localhost:": 421,
        b"localhost:1": 421,
        b"localhost:abc": 421,
        b"127.1": 421,
        b"2130706433": 421,
        b"0x7f.1": 421,
        b"0.0.0.0": 421,
        b"[::]": 421,
        b"[::ffff:127.0.0.1]": 421,
        b"user@localhost": 421,
        b"local\thost": 421,
        b"localhost localhost": 421,
        b"localhost, evil.com": 421,
        b"\xff\xfe": 421,
        b"0": 421,
        b"127.0.0.1.": 421,
        b"127.0.0.1:0": 421,
        b"127.0.0.2": 421,
        b"127.0.0.1@evil.com": 421,
        b"localhost:65536": 421,
        b"localhost:-1": 421,
        b"localhost/": 421,
        b"localhost#.evil.com": 421,
        b"localhost%00.evil.com": 421,
        b"localhost\\.evil.com": 421,
        b"%6cocalhost": 421,
        b"http://localhost": 421,
        b"[::1": 421,
        b"[::1%25lo]": 421,
        b"[::ffff:7f00:1]": 421,
        b"x" * 10_000: 421,
        b"LOCALHOST": 200,
        b"[::1]": 200,
    }.items()
} | {
    "no host": ((raw(b"GET / HTTP/1.1", CLOSE),), 400),
    "two hosts": ((raw(b"GET / HTTP/1.1", HOST + HOST + CLOSE),), 400),
    "an address with another host": ((raw(b"GET http://evil.com/health HTTP/1.1"),), 200),
    "a host in the address alone": (
        (raw(b"GET http://localhost/health HTTP/1.1", b"Host: evil.com\r\n" + CLOSE),),
        421,
    ),
    "a forwarded host": ((get("/health", b"X-Forwarded-Host: evil.com", b"Forwarded: host=evil.com"),), 200),
    "an address that is forwarded": ((get("/api/projects", b"X-Forwarded-For: 127.0.0.1"),), 401),
    "an address that is real": ((get("/api/projects", b"X-Real-IP: 127.0.0.1"),), 401),
}

ORIGINS: Mapping[str, Row] = {
    f"origin {value!r}": ((get("/api/projects", b"Origin: " + value),), 403)
    for value in (
        b"",
        b"null",
        b"http://evil.com",
        b"http://localhost.evil.com",
        b"http://127.0.0.1:1",
        b"https://localhost",
        b"http://localhost@evil.com",
        b"file://",
        b"http://localhost, http://localhost",
        b"HTTP://EVIL.COM",
        b"//localhost",
        b"http://localhost/",
        b"http://localhost#",
        b"http://localhost:80",
        b"http://localhost:3000",
        b"http://127.0.0.1.evil.com",
        b"http://0.0.0.0",
        b"http://[::1]:1",
        b"chrome-extension://abcdefgh",
        b"data:",
        b"\xff",
    )
} | {
    "two origins": ((get("/api/projects", b"Origin: http://localhost", b"Origin: http://localhost"),), 403),
    "another site": ((get("/api/projects", b"Sec-Fetch-Site: cross-site"),), 403),
    "another site first": ((get("/api/projects", b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Site: none"),), 403),
    "another site last": ((get("/api/projects", b"Sec-Fetch-Site: none", b"Sec-Fetch-Site: cross-site"),), 403),
    "another port last": ((get("/api/projects", b"Sec-Fetch-Site: none", b"Sec-Fetch-Site: same-site"),), 401),
    "a list of sites": ((get("/api/projects", b"Sec-Fetch-Site: cross-site, none"),), 401),
    "a site that is none": ((get("/api/projects", b"Sec-Fetch-Site: nonsense"),), 401),
}

PATHS: Mapping[str, Row] = {
    f"path {path!r}": ((get(path),), status)
    for path, status in {
        b"//": 404,
        b"//api/projects": 200,
        b"/api//projects": 404,
        b"/./api/projects": 404,
        b"/api/../api/projects": 404,
        b"/%2e%2e%2f%2e%2e%2fetc%2fpasswd": 404,
        b"/api/projects/": 404,
        b"/api/projects.": 404,
        b"/API/projects": 404,
        b"/api%2fprojects": 200,
        b"/api/projects%2f": 404,
        b"/api/projects%00": 404,
        b"/api/projects%20": 404,
        b"/api/projects%0d%0aX:%20y": 404,
        b"/api/projects%3flimit=1": 404,
        b"/api/projects;x=y": 404,
        b"/api/projects\\": 404,
        b"/api/projects\x0b": 400,
        b"/.git/config": 404,
        b"/.env": 404,
        b"/static/../../etc/passwd": 404,
        b"/api/conversations/..%2f..%2fetc%2fpasswd": 404,
        b"/api/conversations/%00": 404,
        b"/api/conversations/%ff": 404,
        b"/api/conversations/%c0%ae%c0%ae": 404,
        b"/api/conversations/%ed%a0%80": 404,
        b"/api/conversations/;x=y": 404,
        b"/api/conversations/0": 404,
        b"/api/conversations/-1": 404,
        b"/api/conversations/18446744073709551616": 404,
        b"/api/conversations/'%20OR%201=1--": 404,
        b"/api/conversations/%252e%252e": 404,
        b"/api/conversations/%F0%9F%92%A9": 404,
        b"/api/conversations/%": 404,
        b"/api/conversations/%zz": 404,
        b"/api/projects/proj_": 404,
        b"/api/conversations/" + b"x" * 8000: 404,
        b"/\xff": 400,
        b"/caf\xc3\xa9": 400,
        b"*": 404,
        b"health": 400,
        b"?x": 400,
        b"http:": 400,
        b"http://localhost": 404,
        b"javascript:alert(1)": 400,
        b"http:///health": 400,
        b"http://[::1/health": 400,
    }.items()
}

QUERIES: Mapping[str, Row] = {
    f"{route}?{text}": ((get(f"{route}?{text}"),), status)
    for route, text, status in [
        *(
            ("/api/projects", f"{name}={quote(value)}", 400)
            for name in ("page", "limit")
            for value in (
                "0",
                "-1",
                "1.5",
                "NaN",
                "x",
                "99999999999999999999",
                "[]",
                "1 1",
                "\0",
                "null",
                "",
                " 1",
                "1\n",
                "0x1",
                "1_0",
                "1,2",
                "true",
                "\u0661",
                "\uff11",
            )
        ),
        ("/api/projects", "limit[]=1", 400),
        ("/api/projects", "limit=1&limit=2", 400),
        ("/api/projects", "limit", 400),
        ("/api/projects", "page=1e3", 200),
        ("/api/projects", "limit=+1", 400),
        ("/api/projects", "limit=1;page=2", 400),
        ("/api/projects", "limit=1%00", 400),
        ("/api/projects", "LIMIT=1", 400),
        ("/api/projects", "unknown=1", 400),
        ("/api/projects", "%00=1", 400),
        ("/api/projects", "%ff=%ff", 400),
        ("/api/projects", "__proto__=1", 400),
        ("/api/projects", "&&&&", 200),
        ("/api/projects", "sort=password_hash", 400),
        ("/api/projects", "order=DESC,(select%201)", 400),
        ("/api/conversations", "status=unknown", 400),
        ("/api/conversations", "startDate=garbage", 400),
        ("/api/conversations", "startDate=99999-01-01", 400),
        ("/api/conversations", "startDate=10000-01-01", 400),
        ("/api/conversations", "startDate=2024-01-01T25:00:00Z", 400),
        ("/api/conversations", "endDate=2024-02-30", 400),
        ("/api/conversations", "order=DESC", 400),
        ("/api/conversations", "status[]=active", 400),
        ("/api/conversations", "startDate=2024-01-02&endDate=2024-01-01", 400),
        ("/api/conversations", "startDate=-99999999999999999999", 400),
    ]
}

WEBSOCKETS: Mapping[str, Row] = {
    name: ((raw(line, HOST + headers),), status)
    for name, line, headers, status in [
        ("an upgrade without a key", b"GET /echo HTTP/1.1", b"Connection: Upgrade\r\nUpgrade: websocket\r\n", 400),
        (
            "an upgrade of a version that is none",
            b"GET /echo HTTP/1.1",
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            400,
        ),
        (
            "an upgrade where there is none",
            b"GET /nowhere HTTP/1.1",
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            404,
        ),
        (
            "an upgrade of a page from elsewhere",
            b"GET /echo HTTP/1.1",
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://evil.com\r\n",
            403,
        ),
    ]
}

GROUPS: Mapping[str, Mapping[str, Row]] = {
    "framing": FRAMING,
    "methods": METHODS,
    "hosts": HOSTS,
    "origins": ORIGINS,
    "paths": PATHS,
    "queries": QUERIES,
    "websockets": WEBSOCKETS,
}
