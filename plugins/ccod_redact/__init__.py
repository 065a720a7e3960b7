"""Knows what the secrets of common providers look like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ccod import hookimpl

if TYPE_CHECKING:
    from ccod import SecretRule


@hookimpl
def ccod_redaction_rules() -> Iterable[SecretRule]:
    from ccod_redact.rules import RULES

    return RULES
