"""Claude Code Observatory daemon. A plugin needs no other import from ccod than this one.

The names stand in `ccod.face`, which is loaded when the first of them is asked for: a command that needs none starts
without it.
"""

TYPE_CHECKING = False  # as in `typing`, whose import costs more than all of this
if TYPE_CHECKING:
    from ccod.face import *  # noqa: F403


def __getattr__(name: str) -> object:
    from importlib import import_module

    return getattr(import_module("ccod.face"), name)
