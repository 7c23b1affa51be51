-- Lends out a dead session to sweep, forgets sessions whose tombstone has expired, and names
-- sessions that expired and were not buried yet.
-- KEYS 1 expiries (zset)  2 graves (zset)  3 descriptions (hash)  4 vitals (hash)
--      5 unswept (zset)
-- ARGV 1 how long it is lent, in ms  2 how many to forget or name at most
-- Returns {id or false, {ids to bury}}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local forgotten = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[2])
for _, id in ipairs(forgotten) do
  redis.call('HDEL', KEYS[3], id)
  redis.call('HDEL', KEYS[4], id)
  redis.call('ZREM', KEYS[2], id)
end
local expired = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])
local free = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, 1)
if free[1] then redis.call('ZADD', KEYS[5], now + ARGV[1], free[1]) end
return {free[1] or false, expired}
