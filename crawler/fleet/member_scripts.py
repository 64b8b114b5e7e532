"""What is done at once, in Redis, to who is there?

A worker is there while its entry in `members` has not expired; whoever looks removes those that have, and tells all.
Scripts may be run again where their reply was lost. All keys of one call have the crawl's own hash tag.
"""

from __future__ import annotations

from typing import Final

NAMES: Final = ("crawl", "members", "flags", "infos", "leader", "plan", "weights", "units", "workers")
"""The keys of all scripts here, in this order (`Keys.control`)."""

_HEAD = """
local crawl, members, flags, infos, leader, plan, weights, units, workers = unpack(KEYS)
local channel, id = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

#: ARGV channel, worker, crawl, time to live in ms, info, flags, version of the plan it knows, weights (empty: as they
#: were), units it is to have, units it needs yet, units there are. Returns nothing if the crawl is gone. (A plan
#: that is known to the worker and not to the server is answered with a dash.) A worker that is late itself
#: lets others be so for a while: Redis was away. (The first command that writes is one that a server refuses when its
#: memory is full: so all is done, or nothing.) A number is not given again, although a server may have forgotten that
#: it was.
BEAT = (
    _HEAD
    + """
if redis.call('HGET', crawl, 'id') ~= ARGV[3] then return false end
local changed = redis.call('HGET', flags, id) ~= ARGV[6]
local own = redis.call('ZSCORE', members, id)
local late = own and tonumber(own) <= now
redis.call('ZADD', members, now + ARGV[4], id)
if tonumber(redis.call('GET', workers) or 0) < tonumber(id) then redis.call('SET', workers, id) end
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', members, '-inf', now)) do
  if late then
    redis.call('ZADD', members, now + math.floor(ARGV[4] / 3), dead)
  else
    changed = true
    redis.call('ZREM', members, dead)
    redis.call('HDEL', flags, dead)
    redis.call('HDEL', units, dead)
  end
end
redis.call('HSET', flags, id, ARGV[6])
redis.call('HSET', infos, id, ARGV[5])
if ARGV[8] ~= '' then redis.call('HSET', weights, id, ARGV[8]) end
local head = redis.call('GET', leader)
if not head then
  head = id
  changed = true
end
if head == id then redis.call('SET', leader, id, 'PX', ARGV[4]) end
local mine = tonumber(redis.call('HGET', units, id) or 0)
local wanted = tonumber(ARGV[9])
if wanted > mine then
  local others = -mine
  for _, had in ipairs(redis.call('HVALS', units)) do others = others + had end
  mine = math.max(mine, math.min(wanted, ARGV[11] - others))
  redis.call('HSET', units, id, mine)
elseif wanted < mine then
  local kept = math.max(wanted, math.min(mine, tonumber(ARGV[10])))
  if kept < mine then
    mine = kept
    redis.call('HSET', units, id, mine)
    redis.call('PUBLISH', channel, 'units')
  end
end
if changed then redis.call('PUBLISH', channel, 'members') end
local version = tonumber(redis.call('HGET', plan, 'version') or 0)
local newer = ''
if version ~= tonumber(ARGV[7]) then newer = redis.call('HGET', plan, 'plan') or '-' end
return {tostring(now), head, redis.call('PTTL', leader), redis.call('HGET', crawl, 'version'),
  redis.call('ZRANGE', members, 0, -1, 'WITHSCORES'), redis.call('HGETALL', flags), newer, mine}
"""
)

#: ARGV channel, worker.
LEAVE = (
    _HEAD
    + """
local was = redis.call('ZREM', members, id)
redis.call('HDEL', flags, id)
redis.call('HDEL', units, id)
redis.call('HDEL', weights, id)
if redis.call('GET', leader) == id then
  redis.call('DEL', leader)
  redis.call('PUBLISH', channel, 'leader')
end
if was == 1 then redis.call('PUBLISH', channel, 'members') end
return was
"""
)

#: ARGV channel, worker, version of the plan before, the plan, its version. Returns whether it is published: by the
#: leader alone, after the plan that it knew.
PUBLISH = (
    _HEAD
    + """
local version = tonumber(redis.call('HGET', plan, 'version') or 0)
if version == tonumber(ARGV[5]) and redis.call('HGET', plan, 'plan') == ARGV[4] then return 1 end
if redis.call('GET', leader) ~= id or version ~= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', plan, 'version', ARGV[5], 'plan', ARGV[4])
redis.call('PUBLISH', channel, 'plan')
return 1
"""
)

#: ARGV channel, worker (any). Returns the time, members with their ends, flags, infos, the leader, for how long yet,
#: and the plan: for who looks on. Changes nothing.
LOOK = (
    _HEAD
    + """
return {tostring(now), redis.call('ZRANGE', members, 0, -1, 'WITHSCORES'), redis.call('HGETALL', flags),
  redis.call('HGETALL', infos), redis.call('GET', leader) or '0', redis.call('HGET', plan, 'plan') or ''}
"""
)
