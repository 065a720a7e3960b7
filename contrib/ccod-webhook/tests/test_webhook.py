"""Events reach a real server beside the test; what it answers decides what comes next."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import h11
import msgspec
import pytest
import structlog.testing
import trio

import ccod_webhook.sink
from ccod import ConfigError, Content, Event, Message, Observatory, Record, SecretRule, Stream
from ccod.testing import Daemons, Shelf, SinkContract, Sinks, eventually, observatory_of
from ccod_claude.samples import Session, conversation
from ccod_webhook.bodies import bodies
from ccod_webhook.settings import WebhookSettings
from ccod_webhook.sink import AwayError, Webhook, _seconds

SECRET = "a key that both sides know"
EVENT = Event(7, "conversation_started", 1_800_000_000_000, "c", "p")


class Receiver:
    """A server that answers what it is told to, 204 after that, and keeps what it gets."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, list[tuple[str, str]]]] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def serve(self, *, task_status: trio.TaskStatus[None]) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/hook"
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, self._answer, listeners)
            task_status.started()

    async def _answer(self, stream: trio.SocketStream) -> None:
        connection = h11.Connection(h11.SERVER)
        headers: dict[str, str] = {}
        body = b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                try:
                    connection.receive_data(await stream.receive_some())
                except trio.BrokenResourceError:
                    return
            elif isinstance(event, h11.Request):
                headers = {name.decode(): value.decode() for name, value in event.headers}
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                break
        if not headers:
            return
        self.got.append((headers, body))
        status, more = self.answers.pop(0) if self.answers else (204, [])
        reply = h11.Response(status_code=status, headers=[("Content-Length", "0"), ("Connection", "close"), *more])
        await stream.send_all((connection.send(reply) or b"") + (connection.send(h11.EndOfMessage()) or b""))
        await stream.aclose()

    def events(self) -> list[dict[str, Any]]:
        return [event for _, body in self.got for event in json.loads(body)["events"]]


@pytest.fixture
async def receiver(nursery: trio.Nursery) -> Receiver:
    receiver = Receiver()
    await nursery.start(receiver.serve)
    return receiver


@pytest.fixture
def observatory(tmp_path: Path) -> Observatory:
    shelf = Shelf()
    shelf.folder = tmp_path
    return observatory_of(shelf)


@pytest.mark.skipif(not entry_points(group="ccod", name="webhook"), reason="ccod-webhook is not installed")
async def test_a_daemon_tells_what_was_stored_while_the_receiver_was_away(
    receiver: Receiver, open_daemon: Daemons
) -> None:
    receiver.answers = [(503, [])] * 2
    async with open_daemon(
        {"webhook": {"url": receiver.url, "secret": SECRET, "content": True}}, start=False
    ) as daemon:
        if "PYTHONPATH" in os.environ:
            daemon.home.variables["PYTHONPATH"] = os.environ["PYTHONPATH"]
        file = daemon.home.path / ".claude" / "projects" / Session(0).path
        file.parent.mkdir(parents=True)
        await daemon.start()
        *most, last = conversation()
        file.write_bytes(b"".join(most))

        async def all_there(text: str) -> bool:
            return any((event.get("message") or {}).get("text") == text for event in receiver.events())

        await eventually(lambda: all_there("The checkout test fails now and then. Find out why."), "first message")
        await daemon.kill()
        with file.open("ab") as more:
            more.write(last)
        await daemon.start()
        await eventually(
            lambda: all_there("The test passes: money is rounded once, when the invoice is written."), "last message"
        )
    numbers = [event["seq"] for event in receiver.events()]
    assert [*dict.fromkeys(numbers)] == sorted({*numbers})


Make = Callable[..., Webhook]


@pytest.fixture
def make(receiver: Receiver, observatory: Observatory, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setattr(ccod_webhook.sink, "PAUSE_SECONDS", (0.01, 0.02))

    def made(**settings: Any) -> Webhook:
        return Webhook(WebhookSettings(receiver.url, SECRET, **settings), observatory)

    return made


class TestWebhook(SinkContract):
    @pytest.fixture
    def sinks(self, make: Make) -> Sinks:
        return lambda: make(content=True)


def dead(tmp_path: Path) -> list[dict[str, Any]]:
    file = tmp_path / "webhook-dead-letters.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_what_is_sent_is_signed(make: Make, receiver: Receiver) -> None:
    async with make() as webhook:
        await webhook.deliver([EVENT])
    ((headers, body),) = receiver.got
    signed = headers["ccod-timestamp"].encode() + b"." + body
    assert headers["ccod-signature"] == "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert abs(time.time() - int(headers["ccod-timestamp"])) < 60
    (sent,) = receiver.events()
    assert (sent["seq"], sent["event"], sent["conversationId"], sent["projectId"]) == (
        7,
        "conversation_started",
        "c",
        "p",
    )
    assert headers["ccod-delivery"] == f"{sent['epoch']}-7-7"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_what_may_pass_is_tried_again(make: Make, receiver: Receiver, tmp_path: Path, status: int) -> None:
    receiver.answers = [(status, []), (status, [("Retry-After", "0")])]
    async with make() as webhook:
        await webhook.deliver([EVENT])
    assert [headers["ccod-delivery"] for headers, _ in receiver.got] == [receiver.got[0][0]["ccod-delivery"]] * 3
    assert not list(tmp_path.glob("*"))  # noqa: ASYNC240 - a small folder of the test


@pytest.mark.parametrize("status", [301, 307, 400, 404, 410])
async def test_what_is_refused_goes_to_the_dead_letters(
    make: Make, receiver: Receiver, tmp_path: Path, status: int
) -> None:
    """A redirect is followed nowhere."""
    receiver.answers = [(status, [("Location", receiver.url + "/elsewhere")])]
    with structlog.testing.capture_logs() as logs:
        async with make() as webhook:
            await webhook.deliver([EVENT])
            await webhook.deliver([Event(8, "conversation_started", 0, "d")])
    assert len(receiver.got) == 2
    (letter,) = dead(tmp_path)
    assert letter["reason"] == f"answered {status}"
    assert letter["body"]["events"][0]["seq"] == 7
    assert [log["event"] for log in logs] == ["events went to the dead letters"]


async def test_who_is_away_for_too_long_gets_no_more_of_it(make: Make, receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [(503, [])] * 3
    with structlog.testing.capture_logs():
        async with make(give_up_after=0.0) as webhook:
            await webhook.deliver([EVENT])
    assert [letter["reason"].partition(";")[0] for letter in dead(tmp_path)] == ["the receiver answered 503"]


async def test_who_is_away_is_an_error_in_the_end_and_no_loss(
    make: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccod_webhook.sink, "PATIENCE_SECONDS", 0.05)
    receiver.answers = [(503, [("Retry-After", "3600")])]
    webhook = make()
    for _ in range(2):
        with pytest.raises(AwayError):
            async with webhook:
                await webhook.deliver([EVENT])
    assert len(receiver.got) == 1, "it was not asked again before it wanted to be"


async def test_nobody_at_home_is_an_error(observatory: Observatory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ccod_webhook.sink, "PATIENCE_SECONDS", 0.05)
    with pytest.raises(AwayError, match="no answer: ConnectError"):
        async with Webhook(WebhookSettings("http://127.0.0.1:9/", SECRET), observatory) as webhook:
            await webhook.deliver([EVENT])


async def test_only_chosen_kinds_are_sent(make: Make, receiver: Receiver) -> None:
    async with make(events=["conversation_ended"]) as webhook:
        await webhook.deliver([EVENT, Event(8, "conversation_ended", 0, "c")])
        await webhook.deliver([EVENT])
    assert [event["seq"] for event in receiver.events()] == [8]


class Words:
    """A parser that takes bytes as they are."""

    format = "words"
    version = "1"

    def parse(self, stream: Stream, record: Record) -> list[Any]:
        return []

    def content(self, body: bytes) -> Content:
        return Content(body.decode())


@pytest.mark.parametrize("wants", [False, True])
async def test_what_messages_say_leaves_only_when_wanted_and_masked(receiver: Receiver, wants: bool) -> None:
    from dataclasses import replace

    from ccod import Redactor

    observatory = replace(
        observatory_of(Shelf(), parsers={"words": Words()}),
        redactor=Redactor([SecretRule("key", r"sk-[a-z]+", ("sk-",))]),
    )
    message = Message("m", "c", 1, "user", 5, "words", b"mine is sk-abcdefghijklmnopqrst")
    async with Webhook(WebhookSettings(receiver.url, SECRET, content=wants), observatory) as webhook:
        await webhook.deliver([Event(1, "message_added", 5, "c", "p", message)])
    (sent,) = receiver.events()
    assert ("text" in sent["message"]) == wants
    assert b"abcdefgh" not in receiver.got[0][1]
    assert b"mine is" in receiver.got[0][1] or not wants


@pytest.mark.parametrize("text", ["x" * 100_000, "\0" * 100_000, "é" * 100_000, ""])
def test_no_body_is_too_large(text: str) -> None:
    message = Message("m", "c", 1, "user", 5, "words", b"")
    events = [Event(seq, "message_added", 5, "c", "p", message) for seq in range(1, 21)]
    made = [*bodies("epoch", events, lambda _: Content(text), 4096)]
    assert max(len(body.raw) for body in made) <= 4096
    assert [event["seq"] for body in made for event in json.loads(body.raw)["events"]] == [*range(1, 21)]
    assert all((body.first, body.last) for body in made)


@pytest.mark.parametrize(
    ("url", "secret", "complaint"),
    [
        ("http://example.org/", SECRET, "can be read by others"),
        ("ftp://example.org/", SECRET, "is no address"),
        ("https:///x", SECRET, "is no address"),
        ("https://me:pw@example.org/", SECRET, "holds a password"),
        ("https://example.org:x/", SECRET, "url: "),
        ("https://example.org/", "short", "16 characters"),
    ],
)
def test_what_is_not_safe_is_refused(url: str, secret: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        WebhookSettings(url, secret)


@pytest.mark.parametrize(
    "url", ["https://example.org/x", "http://localhost:1/", "http://[::1]:1/", "http://127.1.1.1/"]
)
def test_what_is_safe_is_taken(url: str) -> None:
    assert msgspec.convert({"url": url, "secret": SECRET}, WebhookSettings).url == url


def test_bodies_have_room_for_an_event() -> None:
    with pytest.raises(ConfigError, match="max_body"):
        WebhookSettings("https://example.org/", SECRET, max_body=4095)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("9" * 400, 999_999_999),
    ],
)
def test_how_long_the_receiver_asks_to_wait(header: str, seconds: float | None) -> None:
    assert _seconds(header) == seconds
