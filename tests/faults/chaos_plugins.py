"""Plugins of one file that misbehave: at a hook, or as what they answered with."""

from __future__ import annotations

from string import Template

HASTY = """
import ccod_http.web  # takes a while on a busy machine
from ccod.limits import LIMITS
LIMITS.hook = LIMITS.start = LIMITS.call = 1.0
LIMITS.parse = LIMITS.blocked = 2.0
LIMITS.stop = 4.0
"""
"""Makes the daemon impatient, so that a cell takes seconds."""

GOOD = """
from ccod import hookimpl
from ccod_http.web import Routes

@hookimpl(optionalhook=True)
def ccod_http_blueprints(settings, observatory):
    routes = Routes("good", __name__, url_prefix="/api/good")
    @routes.get("", access="read")
    async def good() -> str:
        "Say so."
        return "good"
    return [routes]
"""
"""Another plugin of somebody else's, which must be served whatever happens."""

DEEDS = {
    "raise": "raise RuntimeError('chaos')",
    "exit": "raise SystemExit(3)",
    "hang": "while True:\n    try: $sleep\n    except Exception: pass",
    "block": "while True: time.sleep(0.05)",
    "spin": "re.match('(a+)+$$', 'a' * 64 + 'b')",
    "flood": "$flood",
    "junk": "return $junk",
}
"""What is done in a body; `$sleep`, `$flood` and `$junk` are the place's own."""

HOOKS = {
    "ccod_add_hooks": "manager",
    "ccod_settings": "",
    "ccod_commands": "cli, settings",
    "ccod_checks": "settings",
    "ccod_sources": "settings, metrics",
    "ccod_parsers": "settings",
    "ccod_redaction_rules": "settings",
    "ccod_transports": "settings, observatory",
    "ccod_sinks": "settings, observatory",
    "ccod_http_blueprints": "settings, observatory",
    "ccod_http_middleware": "settings, observatory",
    "ccod_ws_channels": "settings, observatory",
    "ccod_prices": "settings",
    "ccod_cache": "settings",
    "ccod_auth": "settings, storage",
    "ccod_storage": "settings, prices, parsers",
}

FEED = """
class Feed:
    name, roots = "chaos", ()
    async def run(self, intake, *, task_status):
        task_status.started()
        number = 0
        async def send():
            nonlocal number
            while True:
                number += 1
                stream = Stream("chaos-%d" % number, "chaos", "/chaos", "chaos")
                await intake.send(Batch(stream, [Record(0, b"x\\n")], Checkpoint(2)))
                await trio.sleep($pause)
        async with trio.open_nursery() as nursery:
            for _ in range($tasks):
                nursery.start_soon(send)
@hookimpl
def ccod_sources(settings, metrics): return [Feed()]
"""

ROLES = {
    "source": """
class It:
    name, roots = "chaos", ()
    async def run(self, intake, *, task_status):
        $ready
        $deed
@hookimpl
def ccod_sources(settings, metrics): return [It()]
""",
    "transport": """
class It:
    name = "chaos"
    async def run(self, *, task_status):
        $ready
        $deed
@hookimpl
def ccod_transports(settings, observatory): return [It()]
""",
    "sink": """
class It:
    name = "chaos"
    async def __aenter__(self): return self
    async def __aexit__(self, *_): pass
    async def deliver(self, events):
        $deed
@hookimpl
def ccod_sinks(settings, observatory): return [It()]
""",
    "parser": """
class It:
    format = version = "chaos"
    def parse(self, stream, record):
        $deed
    def content(self, body): return Content("")
@hookimpl
def ccod_parsers(settings): return [It()]
"""
    + Template(FEED).safe_substitute(pause="0.2", tasks="1"),
    "prices": """
class It:
    version = "chaos"
    def cost(self, response, at):
        $deed
@hookimpl
def ccod_prices(settings): return It()
""",
    "cache": """
class It:
    async def __aenter__(self): return self
    async def __aexit__(self, *_): pass
    async def get(self, key):
        $deed
    async def put(self, key, value):
        $deed
@hookimpl
def ccod_cache(settings): return It()
""",
    "auth": """
class It:
    challenge = "Bearer"
    async def __aenter__(self): return self
    async def __aexit__(self, *_): pass
    async def ended(self, user): await trio.sleep_forever()
    async def identify(self, peer):
        $deed
@hookimpl
def ccod_auth(settings, storage): return It()
""",
    "middleware": """
from ccod_http.web import Middleware
class It(Middleware):
    async def after(self, response):
        $deed
@hookimpl(optionalhook=True)
def ccod_http_middleware(settings, observatory): return [It()]
""",
    "route": """
from ccod_http.web import Routes
@hookimpl(optionalhook=True)
def ccod_http_blueprints(settings, observatory):
    routes = Routes("chaos", __name__, url_prefix="/api/chaos")
    @routes.get("", access="read")
    async def chaos() -> str:
        "Misbehave."
        $deed
    return [routes]
""",
}

HEAD = """
import re, time
import trio
from itertools import count, repeat
from ccod import Batch, Checkpoint, Content, Record, Stream, hookimpl
"""


def indented(text: str, spaces: int) -> str:
    return ("\n" + " " * spaces).join(text.splitlines())


def at_hook(hook: str, deed: str) -> str:
    """Return a plugin that does a deed when it is asked a hook."""
    body = Template(DEEDS[deed]).substitute(sleep="time.sleep(0.05)", flood="yield from count()", junk="5")
    optional = "(optionalhook=True)" if "_http_" in hook or "_ws_" in hook else ""
    return f"{HEAD}\n@hookimpl{optional}\ndef {hook}({HOOKS[hook]}):\n    {indented(body, 4)}\n"


def as_role(role: str, deed: str, *, ready: bool = True) -> str:
    """Return a plugin that answers as it should, with something that does a deed once it is `ready`, or before."""
    if (role, deed) == ("source", "flood"):
        return HEAD + Template(FEED).substitute(pause="0", tasks="200")
    sync = role in {"parser", "prices"}
    body = Template(DEEDS[deed]).substitute(
        sleep="time.sleep(0.05)" if sync else "await trio.sleep_forever()", flood="return count()", junk="5"
    )
    started = "task_status.started()" if ready else "pass"
    indent = 8
    return HEAD + Template(ROLES[role]).substitute(deed=indented(body, indent), ready=started)


AT_IMPORT = "raise RuntimeError('chaos')\n"
HANGS_AT_IMPORT = "import time\nwhile True: time.sleep(0.05)\n"
DEAF = (
    HEAD
    + """
class It:
    name = "chaos"
    async def run(self, *, task_status):
        task_status.started()
        with trio.CancelScope(shield=True):
            await trio.sleep_forever()
@hookimpl
def ccod_transports(settings, observatory): return [It()]
"""
)
"""Does not end when it is told to."""
