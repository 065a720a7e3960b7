"""What messages say."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod import Block, Content
from ccod_claude.parser import ClaudeParser


def content(blocks: Any) -> Content:
    return ClaudeParser().content(json.dumps({"type": "user", "message": {"content": blocks}}).encode())


def test_blocks_in_the_style_of_the_api() -> None:
    found = content(
        [
            {"type": "text", "text": "one"},
            {"type": "thinking", "thinking": "hm", "signature": "x"},
            {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}},
            {"type": "server_tool_use", "id": "t2", "name": "web_search", "input": {}},
            {"type": "tool_result", "tool_use_id": "t1", "content": "a\nb"},
            {"type": "tool_result", "tool_use_id": "t2", "content": [{"type": "text", "text": "c"}], "is_error": True},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAA="}},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "text", "text": "two"},
        ]
    )
    assert found.text == "one\ntwo"
    assert found.blocks == [
        Block("text", text="one"),
        Block("thinking", text="hm"),
        Block("toolUse", id="t1", name="Bash", input={"command": "ls"}),
        Block("toolUse", id="t2", name="web_search", input={}),
        Block("toolResult", tool_use_id="t1", text="a\nb", is_error=False),
        Block("toolResult", tool_use_id="t2", text="c", is_error=True),
        Block("image", media_type="image/png", size=3),
        Block("document", media_type="application/pdf", size=2),
        Block("other", name="redacted_thinking"),
        Block("text", text="two"),
    ]


def test_files_in_the_result_of_a_tool() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    items = [{"type": "text", "text": "a"}, {"type": "image", "source": source}, {"type": "document"}, 5, {"type": []}]
    (block,) = content([{"type": "tool_result", "tool_use_id": "t1", "content": items}]).blocks
    assert block.text == "a"
    assert block.files == [Block("image", media_type="image/png", size=3), Block("document")]


def test_a_text_is_one_block() -> None:
    assert content("hello") == Content("hello", [Block("text", text="hello")])


def test_no_content() -> None:
    assert content(None) == Content("", [])


def test_numbers_beyond_64_bits_stay_what_they_are() -> None:
    given_input = {"a": [2**64 + 1, {"b": -(2**63) - 1}], "c": 10**400, "d": 1e300}
    (block,) = content([{"type": "tool_use", "id": "t", "name": "n", "input": given_input}]).blocks
    assert block.input == given_input
    assert isinstance(block.input["a"][0], int)


@pytest.mark.parametrize("block", [5, "x", None, [], {"n": 10**400}, {"type": 5}])
def test_a_strange_block_spoils_no_other(block: Any) -> None:
    found = content([block, {"type": "text", "text": "fine"}])
    assert found.text == "fine"
    assert found.blocks[0].type == "other"


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"{}", b'{"message":5}', b'{"message":{"content":{}}}', b'{"message":{"content":7}}']
)
def test_what_cannot_be_read_is_shown_as_such(body: bytes) -> None:
    assert ClaudeParser().content(body).text == ""


def test_depth() -> None:
    body = b'{"message":{"content":[{"type":"tool_use","input":' + b"[" * 10**5 + b"]" * 10**5 + b"}]}}"
    assert ClaudeParser().content(body).blocks[0].name == "unreadable"


@given(st.one_of(st.binary(), st.recursive(st.text() | st.none() | st.integers(), st.lists, max_leaves=10)))
def test_anything_can_be_shown_and_encoded(given_content: Any) -> None:
    body = (
        given_content
        if isinstance(given_content, bytes)
        else json.dumps({"message": {"content": given_content}}).encode()
    )
    content = ClaudeParser().content(body)
    assert msgspec.json.decode(msgspec.json.encode(content))["text"] == content.text


def test_lone_surrogates_and_broken_utf8() -> None:
    body = b'{"message":{"content":[{"type":"text","text":"\\ud83d \xff \\ud83d\\ude00"}]}}'
    assert ClaudeParser().content(body).text == "\ufffd \ufffd 😀"


AT_ONCE = """
import sys, threading
from ccod_claude.parser import ClaudeParser

parser, barrier = ClaudeParser(), threading.Barrier(16)

def read():
    barrier.wait()
    parser.content(b'{"type":"user","uuid":"a","message":{"role":"user","content":[{"type":"text","text":"hi"}]}}')

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=read) for _ in range(16)]
for each in threads:
    each.start()
for each in threads:
    each.join()
"""


def test_threads_that_read_their_first_message_at_once_crash_nothing() -> None:
    """msgspec finds out what a Struct is at its first use, and two threads must not do so at once: see `decoder`."""
    for _ in range(8):
        done = subprocess.run([sys.executable, "-c", AT_ONCE], check=False, capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
