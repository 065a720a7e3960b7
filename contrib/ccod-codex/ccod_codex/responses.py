"""What a `token_count` tells of the API response before it.

It bears no id of the response. But the thread's total grows with each response, so it names one: a `token_count` that
is written again, as when only rate limits changed, has the same total. A fork begins with a copy of its parent's lines,
with new timestamps (ccusage issue 897, orca issue 19139); the totals are the same there, so that a copy is known as one
and paid once. The first responses of two threads may well count alike: those bear the name of their thread.

Later versions also write a `token_usage_record` for each response. It is left alone: it tells of the same tokens again,
and nothing on either line leads to the other.
"""

from __future__ import annotations

from ccod import Response, Usage
from ccod_codex.lines import Info, Tokens


def response(info: Info | None, thread: str) -> Response | None:
    """Return the response that `info` tells of; None where it tells of no tokens, as after a compaction."""
    last, total = (info.last_token_usage, info.total_token_usage) if info else (None, None)
    if last is None or total is None:
        return None
    used = usage(last)
    if not used.total_tokens:
        return None
    name = "/".join(str(count or 0) for count in _counts(total))
    return Response(f"{thread}/{name}" if _counts(total) == _counts(last) else name, "", "", used)


def usage(tokens: Tokens) -> Usage:
    """Return the counts, disjoint."""
    cached, written = tokens.cached_input_tokens or 0, tokens.cache_write_input_tokens or 0
    fresh = max(0, (tokens.input_tokens or 0) - cached - written)
    return Usage(fresh, tokens.output_tokens or 0, cache_creation_5m_tokens=written, cache_read_tokens=cached)


def _counts(tokens: Tokens) -> tuple[int | None, ...]:
    return (
        tokens.input_tokens,
        tokens.cached_input_tokens,
        tokens.output_tokens,
        tokens.reasoning_output_tokens,
    )
