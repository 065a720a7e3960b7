"""Knows what the secrets of common providers look like."""

from __future__ import annotations

from collections.abc import Iterable

from ccod import SecretRule, hookimpl


@hookimpl
def ccod_redaction_rules() -> Iterable[SecretRule]:
    from ccod_redact.rules import RULES

    return RULES
