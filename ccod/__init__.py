"""Claude Code Observatory daemon. A plugin needs no other import from ccod than this one.

The names stand in `ccod.face`, which is loaded when the first of them is asked for: a command that needs none starts
without it. `EARLY` are those that a plugin is loaded for, and come by themselves.
"""

TYPE_CHECKING = False  # as in `typing`, whose import costs more than all of this
if TYPE_CHECKING:
    from ccod.face import *  # noqa: F403

EARLY = {
    "ccod.hookspecs": ("hookimpl", "hookspec"),
    "ccod.settings": ("Bytes", "FilePath", "Seconds", "Settings", "expanded", "setting"),
    "ccod.errors": ("BusyError", "CcodError", "ConfigError", "PluginError", "UnavailableError"),
    "ccod.model": ("State",),
    "ccod.decoding": ("decoder",),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    module = next((early for early, names in EARLY.items() if name in names), "ccod.face")
    return getattr(import_module(module), name)
