"""Plugins of one file that misbehave: at a hook, or as what they answered with."""

from __future__ import annotations

import re
from string import Template

HASTY = """
import ccod_http.app, ccod_sql.storage  # take a while on a busy machine
ccod_http.app.LIMIT_SECONDS = 1.0
from ccod.limits import LIMITS
LIMITS.hook = LIMITS.start = LIMITS.call = 1.0
LIMITS.parse = LIMITS.blocked = 2.0
LIMITS.stop = 4.0
LIMITS.storage = LIMITS.deliver = 3.0
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
    "group": "raise BaseExceptionGroup('chaos', [Oops('chaos'), RuntimeError('chaos')])",
    "interrupt": "raise KeyboardInterrupt",
    "hang": "while True:\n    try: $sleep\n    except Exception: pass",
    "block": "while True: time.sleep(0.05)",
    "spin": "deque(repeat(0), maxlen=0)",
    "freeze": "while True: ctypes.PyDLL(None).sleep(600)",
    "flood": "$flood",
    "junk": "return $junk",
    "huge": "return $huge",
    "never ready": "pass",
}
"""What is done in a body; `$sleep`, `$flood`, `$junk` and `$huge` are the place's own.

`spin` computes and `freeze` waits, and both hold the interpreter's lock the while, as C code can: no other thread runs.
"""

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
    "ccod_rest_analytics": "settings, observatory",
    "ccod_http_middleware": "settings, observatory",
    "ccod_http_counts": "settings, observatory",
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


def feed(pause: str, tasks: str) -> str:
    """Return a source that sends records of one line, from some tasks at once."""
    return Template(FEED).substitute(pause=pause, tasks=tasks)


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
    async def __aenter__(self):
        $opened
        return self
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
    + feed(pause="0.2", tasks="1"),
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
    async def __aenter__(self):
        $opened
        return self
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
    async def __aenter__(self):
        $opened
        return self
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
    "analytics": """
from msgspec import Struct
from ccod_rest.fields import AnalyticsFields
class Mood(Struct):
    happy: int
class It:
    async def measure(self, conversation):
        $deed
@hookimpl(optionalhook=True)
def ccod_rest_analytics(settings, observatory): return AnalyticsFields(Mood, It().measure)
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

ROLES["parser content"] = (
    ROLES["parser"]
    .replace(
        "        $deed",
        "        return [Entry(record.offset, len(record.body), 'chaos', role='user', uuid=stream.key, at=9)]",
        1,
    )
    .replace('return Content("")', "\n        $deed", 1)
)
for _place, _method in (("storage", "conversations"), ("storage append", "append"), ("storage upkeep", "maintain")):
    ROLES[_place] = f"""
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
class It(SqlStorage):
    async def __aenter__(self):
        $opened
        return await super().__aenter__()
    async def {_method}(self, *_):
        $deed
@hookimpl
def ccod_storage(settings, prices, parsers):
    return It(settings[SqliteSettings], "chaos", prices, parsers=parsers)
"""

JUNK = {"route": "object()"}
HUGE = {
    "source": "await intake.send(Batch(Stream('chaos', 'chaos', '/chaos', 'chaos'), "
    "[Record(0, b'x' * 2**28)], Checkpoint(2**28)))",
    "parser": "[Entry(record.offset, len(record.body), 'chaos', at=10**30)]",
    "parser content": "'x' * 2**26",
    "prices": "Cost(10**30)",
    "cache": "['x'] * 10**6",
    "auth": "['x'] * 10**6",
    "middleware": "['x'] * 10**6",
}
MANY = "[object()] * 10**6"

HEAD = """
import ctypes, time
import trio
from collections import deque
from itertools import count, repeat
from ccod import Batch, Checkpoint, Content, Cost, Entry, Record, Stream, Unparsed, hookimpl
class Oops(BaseException): pass
"""


def indented(text: str, spaces: int) -> str:
    return ("\n" + " " * spaces).join(text.splitlines())


def at_hook(hook: str, deed: str) -> str:
    """Return a plugin that does a deed when it is asked a hook."""
    body = Template(DEEDS[deed]).substitute(sleep="time.sleep(0.05)", flood="yield from count()", junk="5", huge=MANY)
    optional = "(optionalhook=True)" if re.match("ccod_(http|rest|ws)_", hook) else ""
    return f"{HEAD}\n@hookimpl{optional}\ndef {hook}({HOOKS[hook]}):\n    {indented(body, 4)}\n"


def as_role(role: str, deed: str) -> str:
    """Return a plugin that answers as it should, with something that does a deed once it is open, or never is."""
    if (role, deed) == ("source", "flood"):
        return HEAD + feed(pause="0", tasks="200")
    sync = role.startswith("parser") or role == "prices"
    body = Template(DEEDS[deed]).substitute(
        sleep="time.sleep(0.05)" if sync else "await trio.sleep_forever()",
        flood="return count()",
        junk=JUNK.get(role, "5"),
        huge=HUGE.get(role, MANY),
    )
    waits = deed == "never ready"
    return HEAD + Template(ROLES[role]).safe_substitute(
        deed=indented(body, 8),
        ready="await trio.sleep_forever()" if waits else "task_status.started()",
        opened="await trio.sleep_forever()" if waits else "pass",
    )


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

WHOLE = {
    "import": "raise RuntimeError('chaos')\n",
    "exit at import": "raise SystemExit(3)\n",
    "syntax": "def chaos(:\n",
    "hang at import": "import time\nwhile True: time.sleep(0.05)\n",
    "spin at import": "from collections import deque\nfrom itertools import repeat\ndeque(repeat(0), maxlen=0)\n",
    "freeze at import": "import ctypes\nwhile True: ctypes.PyDLL(None).sleep(600)\n",
    "unknown hook": "from ccod import hookimpl\n@hookimpl\ndef ccod_chaos(settings): pass\n",
    "unknown argument": "from ccod import hookimpl\n@hookimpl\ndef ccod_sources(chaos): pass\n",
    "writable": "",
    "never ends": DEAF,
    "other ccod": GOOD,
    "name of another": GOOD,
    "name of ccod's": GOOD,
}
"""The plugin as a whole. From "other ccod" on it is a distribution, the others are files."""
REQUIRES = {"other ccod": "ccod<0.0.1"}
ENTRIES = {"name of another": "good", "name of ccod's": "rest"}
