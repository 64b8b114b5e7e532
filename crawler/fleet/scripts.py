"""What does Redis do at one stroke? The scripts of a partition, each on keys of one hash tag.

Those that take, keep, release and count do so of many partitions in one call, where one server has them all; on a
cluster of one, for each has its own hash tag. Nothing relies on these being done together.

Three rules hold for all of them:

- **Sent twice, done once.** A reply may be lost, and then the call is repeated.
- **Nothing by half.** A server that is out of memory refuses the first command of a script that may take memory, and
  none after a script has written (Redis, `script.c`, "deny-oom"). So what a script writes first is such a command, or
  none of its commands is.
- **The fence decides.** Who may write is told by `fence` in `meta`, not by the key of the lease, whose time may be up
  without anybody having taken the partition over. A fence is the server's time in microseconds when it was given: a
  server that lost its last second gives another one, so that two workers never have the same.

``meta`` holds ``fence`` (absent once given back), ``last`` (the latest fence, so that they grow), ``owner``, ``nonce``
and ``dirty`` (of the latest acquisition), ``commit``, ``urls`` and a field for each outcome. Numbers beyond 2^53 do not
occur.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1


@dataclass(frozen=True, slots=True)
class Script:
    """A script in Lua, called by its digest; a server that does not know it is sent it whole."""

    source: str
    #: of one that is called for many partitions: the names of the keys (`keys.PartitionKeys`) it uses of each
    names: tuple[str, ...] = ()
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", sha1(self.source.encode(), usedforsecurity=False).hexdigest())


ACQUIRE = Script(
    """
-- KEYS (lease meta)...  ARGV worker ttl_ms nonce  ->  for each {1, fence, names and values of meta}
-- or {0, owner, ms until the lease ends}
local function acquire(lease, meta)
  local held = redis.call('GET', lease)
  local owner = held and string.match(held, '^(%d+) ')
  if held and owner ~= ARGV[1] then
    return {0, owner, redis.call('PTTL', lease)}
  end
  local fence
  if held and redis.call('HGET', meta, 'nonce') == ARGV[3] then
    fence = string.match(held, ' (%d+)$')
    redis.call('PEXPIRE', lease, ARGV[2])
  else
    local now = redis.call('TIME')
    local last = tonumber(redis.call('HGET', meta, 'last') or '0')
    fence = string.format('%.0f', math.max(last + 1, now[1] * 1000000 + now[2]))
    local dirty = redis.call('HEXISTS', meta, 'fence')
    redis.call('HSET', meta, 'fence', fence, 'last', fence, 'owner', ARGV[1], 'nonce', ARGV[3], 'dirty', dirty)
    redis.call('SET', lease, ARGV[1] .. ' ' .. fence, 'PX', ARGV[2])
  end
  return {1, fence, redis.call('HGETALL', meta)}
end
local answers = {}
for i = 1, #KEYS, 2 do
  answers[#answers + 1] = acquire(KEYS[i], KEYS[i + 1])
end
return answers
""",
    ("lease", "meta"),
)

RENEW = Script(
    """
-- KEYS (lease meta)...  ARGV worker ttl_ms fence...  ->  for each 1 while it is the worker's, else 0
local function renew(lease, meta, fence)
  local held = redis.call('GET', lease)
  local mine = ARGV[1] .. ' ' .. fence
  if held == mine then
    return redis.call('PEXPIRE', lease, ARGV[2])
  end
  if not held and redis.call('HGET', meta, 'fence') == fence then
    redis.call('SET', lease, mine, 'PX', ARGV[2])
    return 1
  end
  return 0
end
local answers = {}
for i = 1, #KEYS, 2 do
  answers[#answers + 1] = renew(KEYS[i], KEYS[i + 1], ARGV[#answers + 3])
end
return answers
""",
    ("lease", "meta"),
)

RELEASE = Script(
    """
-- KEYS (lease meta)...  ARGV worker fence...  ->  for each 1
local answers = {}
for i = 1, #KEYS, 2 do
  local fence = ARGV[#answers + 2]
  if redis.call('HGET', KEYS[i + 1], 'fence') == fence then
    redis.call('HDEL', KEYS[i + 1], 'fence')
  end
  if redis.call('GET', KEYS[i]) == ARGV[1] .. ' ' .. fence then
    redis.call('DEL', KEYS[i])
  end
  answers[#answers + 1] = 1
end
return answers
""",
    ("lease", "meta"),
)

COMMIT = Script("""
-- KEYS meta urls ends later hosts robots inbox
-- ARGV fence, expected commit, number of URLs admitted, least id that stays in the inbox or '', then a count before
-- each of: blocks of URLs (how many, block), blocks of ends (field, block), tallies (name, by how much), numbers that
-- are later no more, later (number, value), hosts (key, value), robots (origin, value), origins forgotten
-- ->  1 if it was applied now, 2 if it had been before, 0 if it is refused
local meta = redis.call('HMGET', KEYS[1], 'fence', 'commit', 'urls')
if meta[1] ~= ARGV[1] then return 0 end
local commit, expected = tonumber(meta[2] or '0'), tonumber(ARGV[2])
if commit == expected + 1 then return 2 end
if commit ~= expected then return 0 end
commit = expected + 1
local urls = tonumber(meta[3] or '0')
redis.call('HSET', KEYS[1], 'commit', commit, 'urls', string.format('%.0f', urls + ARGV[3]))
local at = 5
local function many(key, command, width, most)
  local last = at + ARGV[at] * width
  at = at + 1
  while at <= last do
    local to = math.min(at + most * width - 1, last)
    redis.call(command, key, unpack(ARGV, at, to))
    at = to + 1
  end
end
local first = urls + 1
local last = at + ARGV[at] * 2
for i = at + 1, last, 2 do
  redis.call('XADD', KEYS[2], string.format('%d-%.0f', commit, first), 'b', ARGV[i + 1])
  first = first + ARGV[i]
end
at = last + 1
last = at + ARGV[at] * 2
local block = 1
for i = at + 1, last, 2 do
  redis.call('XADD', KEYS[3], string.format('%d-%d', commit, block), ARGV[i], ARGV[i + 1])
  block = block + 1
end
at = last + 1
last = at + ARGV[at] * 2
for i = at + 1, last, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
end
at = last + 1
many(KEYS[4], 'HDEL', 1, 1000)
many(KEYS[4], 'HSET', 2, 500)
many(KEYS[5], 'HSET', 2, 500)
many(KEYS[6], 'HSET', 2, 500)
many(KEYS[6], 'HDEL', 1, 1000)
if ARGV[4] ~= '' then
  redis.call('XTRIM', KEYS[7], 'MINID', ARGV[4])
end
return 1
""")

TALLY = Script(
    """
-- KEYS (lease meta later inbox)...  ->  for each {lease or '', ms until it ends, snoozed, blocks in the inbox, meta}
-- of one in which nothing was ever stored, meta is no more than its fence
local function told(meta)
  local some = redis.call('HMGET', meta, 'commit', 'fence')
  if some[1] then
    return redis.call('HGETALL', meta)
  end
  return some[2] and {'fence', some[2]} or {}
end
local answers = {}
for i = 1, #KEYS, 4 do
  answers[#answers + 1] = {redis.call('GET', KEYS[i]) or '', redis.call('PTTL', KEYS[i]),
    redis.call('HLEN', KEYS[i + 2]), redis.call('XLEN', KEYS[i + 3]), told(KEYS[i + 1])}
end
return answers
""",
    ("lease", "meta", "later", "inbox"),
)

POSTED = Script(
    """
-- KEYS inbox...  ->  places, from 1, of those in which something lies
local found = {}
for i = 1, #KEYS do
  if redis.call('XLEN', KEYS[i]) > 0 then
    found[#found + 1] = i
  end
end
return found
""",
    ("inbox",),
)
