"""Holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

# How long one example takes says more of the machine, and of what else it does, than of the code.
settings.register_profile("ccod", deadline=None)
settings.load_profile("ccod")

pytest_plugins = ["ccod.testing"]

# What a shell runs in the background ignores Control-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
