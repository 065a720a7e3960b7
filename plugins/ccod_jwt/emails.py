"""What an account is called by: an email address, in one spelling."""

from __future__ import annotations

import re
import unicodedata

from ccod_jwt.refusals import RefusedError

LONGEST = 254
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_FORM = re.compile(rf"[^\s@\"(),:;<>\[\\\]]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")


def normal(email: str) -> str:
    """Return the one spelling of an address: without spaces around it, in small letters, composed (NFC).

    Letters of other scripts stay what they are: two addresses that only look alike are two accounts.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).casefold())


def checked(email: str) -> str:
    """Return the one spelling of an address, or raise RefusedError for what is none."""
    spelled = normal(email)
    if len(spelled) > LONGEST or not spelled.isprintable() or not _FORM.fullmatch(spelled):
        raise RefusedError("VALIDATION_FAILED", "That is no email address; write one such as me@example.com.")
    return spelled
