"""The hook that the hub offers to every plugin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ccod import hookspec

if TYPE_CHECKING:
    from ccod import Observatory, Settings
    from ccod_ws.channels import Channel


@hookspec
def ccod_ws_channels(settings: Settings, observatory: Observatory) -> Iterable[Channel]:  # type: ignore[empty-body]
    """Return channels of your own, and keep them: `Channel.publish` tells everyone who hears."""
