"""The `[metrics]` table."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from ccod import setting


class MetricsSettings(Struct, forbid_unknown_fields=True):
    """Figures for Prometheus, at /metrics on a port of their own, on loopback."""

    enabled: Annotated[bool, setting("Serve them.", env="ENABLE_METRICS")] = True
    port: Annotated[
        int, setting("Port to serve them on; 0 takes any free one.", env="METRICS_PORT", ge=0, le=65535)
    ] = 3001
    access: Annotated[
        Literal["owner", "loopback", "login"],
        setting("Who reads them without a token: processes of the daemon's own user, all of this machine, or nobody."),
    ] = "owner"
