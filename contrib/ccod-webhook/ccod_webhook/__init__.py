"""Plugin `webhook`: a sink that posts stored events to another server, signed."""

from __future__ import annotations

from collections.abc import Iterable

from ccod import Observatory, Settings, Sink, hookimpl
from ccod_webhook.settings import WebhookSettings


@hookimpl
def ccod_settings() -> type[WebhookSettings]:
    return WebhookSettings


@hookimpl
def ccod_sinks(settings: Settings, observatory: Observatory) -> Iterable[Sink]:
    from ccod_webhook.sink import Webhook

    return [Webhook(settings[WebhookSettings], observatory)] if settings[WebhookSettings].url else []
