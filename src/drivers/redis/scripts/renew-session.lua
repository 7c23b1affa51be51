-- Extends a live session of the same token. Never creates one: a dead session stays dead.
-- KEYS 1 the session  2 expiries (zset)  3 vitals (hash)  4 the boot marker
-- ARGV 1 id  2 token  3 beat  4 ttl in ms  5 vitals
-- Returns {'renewed', previous beat, boot marker}, {'stale'} or {'dead'}.
local held = redis.call('HMGET', KEYS[1], 'token', 'beat')
if held[1] ~= ARGV[2] or not held[2] then return {'dead'} end
-- A renewal delayed in the network must not count again as a sign of life.
if tonumber(ARGV[3]) <= tonumber(held[2]) then return {'stale'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'beat', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], now + ARGV[4], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. ARGV[5])
return {'renewed', held[2], redis.call('GET', KEYS[4]) or ''}
