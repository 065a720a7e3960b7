"""How far a daemon knows of what all of them wrote."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from ccod_sql.database import Changed

TRUSTED_SECONDS = 10.0
"""How long a revision is believed without having been read again; upkeep reads it every two seconds."""


class Standing:
    """Up to which revision what is remembered is true, and which is the latest that was heard of."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._known = 0
        self._latest = 0
        self._read_at = clock()
        self._writing = False

    @property
    def revision(self) -> int | None:
        """The latest revision; None while this daemon writes, or where it is not sure."""
        is_sure = self._clock() - self._read_at < TRUSTED_SECONDS and not self._writing
        return self._latest if is_sure else None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Surround a transaction, its commit included: some readers see it before others then."""
        self._writing = True
        try:
            yield
        finally:
            self._writing = False

    def seen(self, revision: int, changed: Changed) -> None:
        """Note what was read in the database; what is remembered is true after `changed`."""
        self._read_at = self._clock()
        self.heard(revision)
        if revision != self._known:
            changed()
            self._known = revision

    def wrote(self, revision: int) -> None:
        """Note the revision of a transaction of one's own, once it is committed."""
        self._known = revision
        self.heard(revision)

    def heard(self, revision: int) -> None:
        """Note a revision that another daemon told of. Called in any thread."""
        with self._lock:
            self._latest = max(self._latest, revision)
