"""What schemathesis is told by `tests.faults.contract`: ids that exist, and what no schema can say."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import schemathesis

from tests.plugins.rest.family import SESSION

UNSAID = (
    "is after 'endDate'",
    "is given together with",
    "Parameter 'cursor' is none of this list",
    "Parameter 'timezone' is wrong",
    "Parameter 'q' holds no word",
    "Parameter 'q' is wrong at",
    "That is no email address",
    "A password has 8 to 1024 characters",
    "The password is the email address",
    "among the first that are guessed",
    "The name of a key must show",
    "is to expire has passed",
)
"""Refusals that depend on two parameters at once, on the words in a text, or on the time."""
KNOWN = {"conversation_id": SESSION, "stream_id": 1, "attachment_id": 9}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Ask every other time for what there is; what is generated exists nowhere."""
    if case.method != "DELETE" and case.meta and case.meta.generation.mode.is_positive and sum(case.id.encode()) % 2:
        for name in case.path_parameters or {}:
            case.path_parameters[name] = KNOWN.get(name, case.path_parameters[name])


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Forgive what no schema can say, and that no token is needed on the Unix socket. 414 is a refusal like others."""
    unsaid = response.status_code in {400, 422} and any(reason in response.text for reason in UNSAID)
    refused = unsaid or response.status_code == HTTPStatus.REQUEST_URI_TOO_LONG
    return not refused and "Authorization" not in failure.message
