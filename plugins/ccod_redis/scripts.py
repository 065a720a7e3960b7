"""What the server does in one step. It runs each script by itself, so no two daemons are ever between two lines of one.

Below a prefix there are the values, an index and a total. The index orders the values by when they were asked for
last; its members are "cost:key". A value lives on for `ttl` whenever it is asked for, and so do index and total: what
runs out first is what would be driven out first, and the index outlives all that is in it. Where a server that is short
of memory dropped one of the two, both begin anew; values that nothing counts any more run out.
"""

from __future__ import annotations

PER_VALUE = 400
"""What a value takes beside its bytes: its key, twice, and what Redis spends on both."""

GET = f"""
local value = redis.call('GET', KEYS[1])
if value then
    local now = redis.call('TIME')
    local member = (#value + {PER_VALUE}) .. ':' .. KEYS[1]
    redis.call('ZADD', KEYS[2], 'XX', now[1] * 1000000 + now[2], member)
    for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
end
return value
"""
"""KEYS: value, index, total. ARGV: ttl in milliseconds."""

PUT = f"""
if redis.call('EXISTS', KEYS[1]) == 1 then return end
redis.call('SET', KEYS[1], ARGV[2])
if redis.call('EXISTS', KEYS[2], KEYS[3]) < 2 then redis.call('DEL', KEYS[2], KEYS[3]) end
local now, cost = redis.call('TIME'), #ARGV[2] + {PER_VALUE}
local added = redis.call('ZADD', KEYS[2], now[1] * 1000000 + now[2], cost .. ':' .. KEYS[1])
local total = redis.call('INCRBY', KEYS[3], added * cost)
while total > tonumber(ARGV[3]) do
    local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
    if not oldest then break end
    local freed, key = string.match(oldest, '^(%d+):(.*)$')
    redis.call('DEL', key)
    total = redis.call('DECRBY', KEYS[3], freed)
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
"""
"""KEYS as above. ARGV: ttl, the value, the bound in bytes. A full server refuses only the first change of a script."""

TAKE = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local window, each = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
local used = math.min(window, math.max(0, full_at - now))
local within = used + each <= window
if within then
    used = used + each
    redis.call('SET', KEYS[1], string.format('%.0f', now + used), 'PX', math.ceil(used / 1000))
end
return {within and 1 or 0, used}
"""
"""KEYS: whose quota it is; its value is when it will be full again. ARGV: the window, and what one request uses of it,
in microseconds. Returns whether it is within, and what is used then. A clock set back costs one window at most."""
