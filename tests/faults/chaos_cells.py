"""The cells of the matrix: each place of a plugin with each misbehaviour, and which of them cannot be."""

from __future__ import annotations

from msgspec import Struct

from tests.faults import chaos_plugins as make

ONCE = "a hook is asked once, in the main thread: see hang"
UNUSED = "its answer is not looked at"
ASKED = "it is asked, and sends nothing"
ONE = "its answer is one object: see junk"
STARTS = "nothing of it starts"
CTRL_C = "before the daemon takes signals it is taken for Ctrl-C, and ends the process with 130"
EXCLUSIVE = ("storage", "auth", "prices", "cache")
EARLY = ("ccod_add_hooks", "ccod_settings", "ccod_redaction_rules")
"""Asked before the daemon runs."""
BY_HAND = ("ccod_checks", "ccod_commands")
"""Asked in the process of a command, which a person started and can end."""
STARTING = ("source", "transport", "sink", "cache", "auth")
STORAGE = ("storage", "storage append", "storage upkeep")
SYNC = ("prices", "parser content")
STOPS = {"block", "spin", "freeze"}
"""What holds the event loop, so that the process ends, is started again, and leaves the plugin out."""

NOT = {
    **{(f"hook:{hook}", "block"): ONCE for hook in make.HOOKS},
    **{(f"hook:{hook}", "never ready"): STARTS for hook in make.HOOKS},
    **{(f"role:{role}", "never ready"): STARTS for role in make.ROLES if role not in STARTING},
    **{(f"hook:{hook}", "interrupt"): CTRL_C for hook in (*EARLY, *BY_HAND)},
    **{(f"hook:{hook}", "spin"): "a command of a person, who can end it" for hook in BY_HAND},
    **{("hook:ccod_add_hooks", deed): UNUSED for deed in ("junk", "flood", "huge")},
    **{("hook:ccod_commands", deed): UNUSED for deed in ("junk", "flood", "huge")},
    **{("hook:ccod_settings", deed): "its answer is one class: see junk" for deed in ("flood", "huge")},
    **{(f"hook:ccod_{role}", deed): ONE for role in EXCLUSIVE for deed in ("flood", "huge")},
    **{(f"role:{role}", "flood"): ASKED for role in (*SYNC, "cache", "auth", "middleware", "analytics")},
    **{(f"role:{role}", "flood"): ASKED for role in STORAGE},
    **{(f"role:{role}", "huge"): "it is not of the right type: see junk" for role in STORAGE},
    **{(f"role:{role}", "hang"): "nobody can wait for it elsewhere: see block" for role in SYNC},
    ("role:parser", "block"): "it is asked in a thread: see hang",
    ("role:storage", "never ready"): "it may take its time to migrate: TimeoutStartSec of systemd is the limit",
    ("whole", "interrupt at import"): CTRL_C,
    ("whole", "leaks memory"): "nobody can tell whose memory it is: MemoryMax of systemd is the limit",
    ("whole", "ends the process"): "as by os._exit: nothing is left to name it; systemd starts it again",
    ("role:route", "flood"): "an answer without end is a stream, at the pace of who reads it",
    ("role:route", "huge"): "an answer may be large: who asks it is under a quota",
    ("role:route", "hang"): "only who asked waits, as for any answer that comes when there is news",
    ("role:sink", "flood"): "it receives, and sends nothing",
    ("role:sink", "junk"): UNUSED,
    ("role:sink", "huge"): UNUSED,
    ("role:transport", "flood"): "it sends to outside only",
    ("role:transport", "huge"): "it sends to outside only",
    ("role:transport", "hang"): "a transport that nobody asks looks the same",
    ("role:source", "hang"): "a source that has nothing to send looks the same",
}  # fmt: skip


WHOLE = (*make.WHOLE, *(deed for place, deed in NOT if place == "whole"))


class Cell(Struct, frozen=True):
    place: str
    deed: str

    @property
    def reason_not(self) -> str:
        return NOT.get((self.place, self.deed), "")

    @property
    def code(self) -> str:
        kind, _, name = self.place.partition(":")
        if kind == "hook":
            return make.at_hook(name, self.deed)
        return make.WHOLE[self.deed] if kind == "whole" else make.as_role(name, self.deed)

    @property
    def role(self) -> str:
        """The role for which the plugin has to be chosen."""
        name = self.place.partition(":")[2].removeprefix("ccod_").partition(" ")[0]
        return name if name in EXCLUSIVE else ""

    @property
    def is_distribution(self) -> bool:
        return self.place == "whole" and self.deed in {*make.REQUIRES, *make.ENTRIES}

    @property
    def name(self) -> str:
        """The name under which the plugin is known."""
        return make.ENTRIES.get(self.deed, "chaos")

    @property
    def is_blind(self) -> bool:
        """Whether nobody is let in, or answered: what is to be seen then is the log, and what is stored."""
        return self.role == "auth" or self.place == "role:middleware"

    @property
    def is_vital(self) -> bool:
        """Whether ccod does not go on without the plugin, which was chosen: it ends with 78, and says why."""
        if self.place.startswith("hook:"):
            return bool(self.role)
        return self.deed == "never ready" and bool(self.role)

    @property
    def stops(self) -> bool:
        """Whether the process has to end."""
        if self.place == "whole":
            return self.deed == "spin at import"
        return self.deed == "spin" if self.place.startswith("hook:") else self.deed in STOPS


def cells() -> list[Cell]:
    hooks = [Cell(f"hook:{hook}", deed) for hook in make.HOOKS for deed in make.DEEDS]
    roles = [Cell(f"role:{role}", deed) for role in make.ROLES for deed in make.DEEDS]
    return [*hooks, *roles, *(Cell("whole", deed) for deed in WHOLE)]
