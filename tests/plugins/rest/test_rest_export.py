"""Exports: in every form, with secrets masked, and a page that can neither run nor load anything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ccod_rest.forms import POLICY
from tests.plugins.redact.canaries import canaries
from tests.plugins.redact.test_redact_rules import core
from tests.plugins.rest.library import SESSION, Library, library

FORMATS = ["jsonl", "json", "md", "html"]
PATH = f"/api/conversations/{SESSION}/export"

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</pre></details><img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<body onload=alert(1)>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example'</style>",
    "<form action=//evil.example><button>x</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<img src='x' style='background:url(//evil.example)'>",
    "<img srcset='//evil.example/x 1x'>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "` onmouseover=`alert(1)",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&#x3c;script&#x3e;alert(1)",
    "\\u003cscript\\u003ealert(1)",
    "<scr\0ipt>alert(1)</scr\0ipt>",
    "<\0script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script\n>alert(1)</script\n>",
    "<script/src=//evil.example>",
    "<<script>alert(1)//<</script>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "{{constructor.constructor('alert(1)')()}}",
    "\u202e<script>\u2066alert(1)\ud800</script>\x1b[31m",
    "```\n</pre><script>alert(1)</script>\n```",
]


class Page(HTMLParser):
    """Notes every element and attribute of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: set[tuple[str, str, str | None]] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {(tag, name, value) for name, value in attrs}

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment that is not ours")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Library]:
    async with library(tmp_path / "ccod.db") as opened:
        yield opened


async def export(house: Library, format: str, **query: str) -> str:  # noqa: A002
    response = await house.http.get(PATH, params={"format": format} | query)
    assert response.status_code == 200, response.text
    return response.content.decode()


async def test_a_page_holds_no_element_and_no_attribute_of_others(house: Library) -> None:
    assert len(PAYLOADS) >= 50
    for payload in PAYLOADS:
        use = {"type": "tool_use", "id": payload, "name": payload, "input": {payload: payload}}
        result = {"type": "tool_result", "tool_use_id": payload, "content": payload}
        image = {"type": "image", "source": {"type": "base64", "media_type": payload, "data": "QUJD"}}
        thought = {"type": "thinking", "thinking": payload}
        parts = [{"type": "text", "text": payload}, thought, use, result, image, {"type": payload}]
        line = json.dumps(house.said("assistant", parts)).encode() + b"\n"
        await house.add(
            line, json.dumps({"type": "custom-title", "customTitle": payload}).encode() + b"\n", index=False
        )
        page = Page()
        page.feed(await export(house, "html"))
        page.close()
        assert page.elements <= {
            *("html", "head", "meta", "title", "style", "body", "h1", "p"),
            *("article", "header", "div", "details", "summary", "pre"),
        }
        assert page.attributes <= {
            ("html", "lang", "en"),
            ("meta", "charset", "utf-8"),
            ("meta", "http-equiv", "Content-Security-Policy"),
            ("meta", "content", POLICY),
            ("meta", "name", "viewport"),
            ("meta", "content", "width=device-width, initial-scale=1"),
            ("article", "class", "user"),
            ("article", "class", "assistant"),
            ("div", "class", "text"),
        }
        assert not any(character in page.text for character in "\0\x1b\u202e\u2066")
    assert "alert(1)" in page.text, "it is all there to read"


async def test_the_lines_are_those_that_were_read(house: Library) -> None:
    lines = [
        json.dumps(house.said("user", "plain 🌹"), ensure_ascii=False).encode() + b"\n",
        b'{"type":"user",  "odd":1e3,"message":{"role":"user","content":"\\u00e9"}}\r\n',
        b"no JSON at all \xff\n",
        b'{"type": "cut',
    ]
    await house.add(*lines)
    assert (await house.http.get(PATH)).content == b"".join(lines)


async def test_json_is_what_the_routes_show(house: Library) -> None:
    await house.add(*(house.said("user", f"line {number}") for number in range(60)))
    whole = json.loads(await export(house, "json"))
    assert whole["conversation"] == (await house.get(f"/api/conversations/{SESSION}"))["data"]
    assert whole["messages"] == (await house.get(f"/api/conversations/{SESSION}/messages", limit=200))["data"]


async def test_markdown_fences_hold(house: Library) -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "a ```` fence\n````\nwithin"}
    await house.add(house.said("user", "Hello"), house.said("user", [result]))
    text = await export(house, "md")
    assert text.startswith("# Hello\n")
    assert "\n`````\na ```` fence\n````\nwithin\n`````\n" in text


async def test_no_secret_leaves_the_house(house: Library) -> None:
    secrets = canaries(7)
    for kind, secret in secrets.items():
        use = {"type": "tool_use", "id": f"t {kind}", "name": "Bash", "input": {"env": {"VALUE": secret}, secret: 1}}
        result = {"type": "tool_result", "tool_use_id": f"t {kind}", "content": f"first\n{secret}\nlast"}
        await house.add(
            house.said("user", f"canary {secret} end"),
            house.said("assistant", [{"type": "thinking", "thinking": f"it is {secret}"}, use]),
            house.said("user", [result]),
            {"type": "custom-title", "customTitle": f"About {secret}"},
            index=False,
        )
    await house.index()
    seen = "".join([await export(house, each) for each in FORMATS])
    seen += json.dumps(await house.get("/api/conversations"))
    for page in (1, 2):
        seen += json.dumps(await house.get(f"/api/conversations/{SESSION}/messages", limit=200, page=page))
    cursor: dict[str, str] = {}
    while True:
        found = (await house.get("/api/search", q="canary", limit=100, **cursor))["data"]
        seen += json.dumps(found)
        if found["nextCursor"] is None:
            break
        cursor = {"cursor": found["nextCursor"]}
    for secret in secrets.values():
        seen += json.dumps(await house.get("/api/search", q=f'"{core(secret)}"'))
    seen += json.dumps(house.logs, default=str)
    unescaped = seen.replace("\\\\", "\\")
    assert [kind for kind, secret in secrets.items() if core(secret) in unescaped] == []
    assert seen.count("«redacted:") + seen.count("\\u00abredacted:") > 10 * len(secrets)


async def test_revealing_is_a_right_of_its_own(tmp_path: Path) -> None:
    secret = canaries()["github"]
    for role, status in (("owner", 401), ("user", 403), ("admin", 200)):
        async with library(tmp_path / f"{role}.db", role) as house:
            await house.add(house.said("user", f"it is {secret}"))
            for format_ in FORMATS:
                answer = await house.http.get(PATH, params={"format": format_, "reveal": "true"})
                assert answer.status_code == status
                assert (secret in answer.text) == (status == 200)
                assert "Content-Encoding" not in answer.headers
                assert answer.headers["Cache-Control"] == "no-store"
            assert any(entry["event"] == "secrets revealed" for entry in house.logs) == (status == 200)


async def test_the_answer_is_a_file(house: Library) -> None:
    await house.add(house.said("user", "x"))
    answer = await house.http.get(PATH, params={"format": "html"})
    assert answer.headers["content-disposition"] == f'attachment; filename="{SESSION}.html"'
    assert (await house.http.get("/api/conversations/none/export")).status_code == 404
    assert (await house.http.get(PATH, params={"format": "pdf"})).status_code == 400


async def test_the_name_of_the_file_is_harmless(house: Library) -> None:
    house.session = 'a"\r\nX-Evil: 1/../ü'
    await house.add(house.said("user", "x"))
    answer = await house.http.get("/api/conversations/a%22%0D%0AX-Evil%3A%201%2F..%2F%C3%BC/export")
    assert answer.status_code == 404 or "evil" not in {name.lower() for name in answer.headers}
