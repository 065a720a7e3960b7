"""The right to see secrets unmasked."""

from __future__ import annotations

from typing import Annotated

import structlog
from msgspec import Meta

from ccod_http.web import current_user, require

Reveal = Annotated[bool, Meta(description="Show secrets unmasked, which needs the right `reveal` and is logged.")]

log = structlog.get_logger("ccod.rest")


def check_reveal(wanted: bool, conversation_id: str) -> None:
    """Raise a Problem if secrets are asked for by who may not see them; that they are shown is logged."""
    if wanted:
        require("reveal")
        user = current_user()
        log.info("secrets revealed", user=user.id if user else None, conversation=conversation_id)
