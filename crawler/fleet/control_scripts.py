"""What is done at once, in Redis, to what is true of the whole crawl?

Each script is one change, whole or not at all, and may be run again where its reply was lost. All keys of one call
have the crawl's own hash tag. Times are Redis' own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.fleet.link import Link

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

_STEP = (
    _NOW
    + """
local function step(crawl)
  local version = math.max(now, (redis.call('HGET', crawl, 'version') or 0) + 1)
  redis.call('HSET', crawl, 'version', string.format('%.0f', version))
end
"""
)
"""Gives a crawl its next version: by the clock: a server that lost its last change may not give its number again."""

#: KEYS crawl; ARGV field, value, … of a new crawl. Returns all fields of the crawl that there is then.
CREATE = (
    _NOW
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], unpack(ARGV))
  redis.call('HSET', KEYS[1], 'state', 'running', 'run', 1, 'version', 1, 'started_ms', now, 'state_ms', now)
end
return redis.call('HGETALL', KEYS[1])
"""
)

#: KEYS crawl; ARGV channel, number of conditions, field, value, … that must be, then field, value, … to be. A missing
#: field is the empty text. Returns whether it was done.
CHANGE = (
    _STEP
    + """
local at = 3
for _ = 1, ARGV[2] do
  if (redis.call('HGET', KEYS[1], ARGV[at]) or '') ~= ARGV[at + 1] then return 0 end
  at = at + 2
end
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for field = at, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[field], ARGV[field + 1])
  if ARGV[field] == 'state' then
    redis.call('HSET', KEYS[1], 'state_ms', now)
    if ARGV[field + 1] == 'running' then redis.call('HINCRBY', KEYS[1], 'run', 1) end
  end
end
step(KEYS[1])
redis.call('PUBLISH', ARGV[1], 'orders')
return 1
"""
)

#: KEYS crawl, limits; ARGV channel, pattern, pace (empty: none of its own).
LIMIT = (
    _STEP
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[2], ARGV[2]) else redis.call('HSET', KEYS[2], ARGV[2], ARGV[3]) end
step(KEYS[1])
redis.call('PUBLISH', ARGV[1], 'orders')
return 1
"""
)

#: KEYS crawl, limits. Returns the fields of the crawl, and patterns with their paces, as of one moment.
READ = """
return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}
"""

#: KEYS crawl, lease; ARGV channel, worker, time to live in ms, row, what the list is, over. Returns who reads the
#: seeds, for how long yet, the row to go on from, whether all are in, and what list it is.
SEED = (
    _STEP
    + """
local seeded = redis.call('HGET', KEYS[1], 'seeded') == '1'
local owner = redis.call('GET', KEYS[2])
if not seeded and (not owner or owner == ARGV[2]) then
  owner = ARGV[2]
  redis.call('SET', KEYS[2], owner, 'PX', ARGV[3])
  local row = tonumber(redis.call('HGET', KEYS[1], 'seed_row') or 0)
  if tonumber(ARGV[4]) > row then redis.call('HSET', KEYS[1], 'seed_row', ARGV[4]) end
  if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'seed_list', ARGV[5]) end
  if ARGV[6] == '1' then
    redis.call('HSET', KEYS[1], 'seeded', 1)
    step(KEYS[1])
    redis.call('DEL', KEYS[2])
    redis.call('PUBLISH', ARGV[1], 'orders')
    seeded = true
  end
end
return {owner or '', redis.call('PTTL', KEYS[2]), redis.call('HGET', KEYS[1], 'seed_row') or 0, seeded and 1 or 0,
  redis.call('HGET', KEYS[1], 'seed_list') or ''}
"""
)

#: KEYS lease of the seeds; ARGV worker.
UNSEED = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

#: KEYS budget, flags; ARGV channel, name, worker, what it is to have had in all, what there is. Returns what it has
#: had, and what all have. Who gets some is neither idle nor done with it, whatever its last heartbeat said.
DRAW = """
local each = ARGV[2] .. ':' .. ARGV[3]
local mine = tonumber(redis.call('HGET', KEYS[1], each) or 0)
local all = tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or 0)
local wanted = tonumber(ARGV[4])
local had = wanted
if wanted > mine then had = math.max(mine, math.min(wanted, ARGV[5] - (all - mine))) end
if had ~= mine then
  all = all - mine + had
  redis.call('HSET', KEYS[1], each, string.format('%.0f', had), ARGV[2], string.format('%.0f', all))
  if had < mine then
    redis.call('PUBLISH', ARGV[1], 'budget')
  elseif redis.call('HEXISTS', KEYS[2], ARGV[3]) == 1 then
    local flags = cjson.decode(redis.call('HGET', KEYS[2], ARGV[3]))
    flags[1], flags[3] = false, ''
    redis.call('HSET', KEYS[2], ARGV[3], cjson.encode(flags))
  end
end
return {string.format('%.0f', had), string.format('%.0f', all)}
"""

#: KEYS crawl, budget, flags, members; ARGV channel, run, name, what there is. Ends the crawl if all of a budget has
#: been drawn, and everybody has spent what they drew, or has nothing to do.
SPEND = (
    _STEP
    + """
if redis.call('HGET', KEYS[1], 'state') ~= 'running' or redis.call('HGET', KEYS[1], 'run') ~= ARGV[2] then return 0 end
if tonumber(redis.call('HGET', KEYS[2], ARGV[3]) or 0) < tonumber(ARGV[4]) then return 0 end
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. now, '+inf')) do
  local flags = cjson.decode(redis.call('HGET', KEYS[3], worker) or '[false,false,""]')
  if not flags[1] and flags[3] == '' then return 0 end
end
redis.call('HSET', KEYS[1], 'state', 'stopped', 'why', ARGV[3], 'state_ms', now)
step(KEYS[1])
redis.call('PUBLISH', ARGV[1], 'orders')
return 1
"""
)

#: KEYS crawl, members; ARGV state. Ends a crawl that no worker lives of, for good. Returns how many live.
RETIRE = (
    _STEP
    + """
local live = redis.call('ZCOUNT', KEYS[2], '(' .. now, '+inf')
if live == 0 and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'state', ARGV[1], 'state_ms', now)
  step(KEYS[1])
end
return live
"""
)

#: KEYS epoch; ARGV the one it is, the next. Returns which it is then.
ADVANCE = """
local epoch = tonumber(redis.call('GET', KEYS[1]) or 1)
if epoch == tonumber(ARGV[1]) then
  epoch = tonumber(ARGV[2])
  redis.call('SET', KEYS[1], epoch)
end
return epoch
"""


async def run(link: Link, script: str, keys: Sequence[str], *args: str | float | bytes) -> Any:  # noqa: ANN401  (a script's own affair)
    """Run a script, as often as it takes to get a reply; what it returned. A server that does not know it is told."""
    registered = link.client.register_script(script)
    return await link.patiently(lambda: registered(keys=list(keys), args=list(args)))


def paired(flat: Sequence[bytes]) -> dict[str, bytes]:
    """What HGETALL returns within a script."""
    return {key.decode(): value for key, value in zip(flat[::2], flat[1::2], strict=True)}
