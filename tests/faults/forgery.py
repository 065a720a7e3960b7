"""Show every forged token to every route that is not public: all answers must be the same 401.

python -m tests.faults.forgery
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import trio

from tests.plugins.http.serving import SECRET
from tests.plugins.jwt.desk import desk, guarded, refusals
from tests.plugins.jwt.forging import forged


async def forgery(folder: Path) -> tuple[int, int, set[str]]:
    """Return how many tokens and routes there were, and the different answers."""
    answers: set[str] = set()
    async with desk(folder) as served:
        login, other = await served.login("me", "admin"), await served.login("you")
        tokens = list(forged(login.access_token, login.refresh_token, SECRET.encode(), other.account.id))
        routes = guarded(served)
        for method, path in routes:
            answers |= await refusals(served, method, path, tokens)
    return len(tokens), len(routes), answers


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        tokens, routes, answers = trio.run(forgery, Path(folder))
    print(f"{tokens} tokens at {routes} routes: {tokens * routes} refused, {len(answers)} different answers")
    return 0 if len(answers) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
