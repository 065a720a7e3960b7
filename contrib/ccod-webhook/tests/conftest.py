from ccod.testing import open_daemon

__all__ = ["open_daemon"]
