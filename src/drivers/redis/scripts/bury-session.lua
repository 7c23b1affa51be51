-- Kills a session whose beat is the expected one, or writes down the death of one that is gone.
-- KEYS 1 the session  2 its tombstone  3 expiries (zset)  4 graves (zset)
--      5 vitals (hash)  6 unswept (zset)
-- ARGV 1 id  2 expected beat; -1 to bury only the expired  3 cause of death
--      4 tombstone time as a multiple of the ttl  5 ttl in ms, should the session's be unknown
-- Returns 'fenced', 'dead' or 'renewed'.
-- Without a time to live it was never fully opened, and would never expire.
local beat = redis.call('PTTL', KEYS[1]) >= 0 and redis.call('HGET', KEYS[1], 'beat')
if beat and beat ~= ARGV[2] then return 'renewed' end
if not beat and redis.call('EXISTS', KEYS[2]) == 1 then return 'dead' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local vitals = redis.call('HGET', KEYS[5], ARGV[1]) or ''
local ttl = tonumber(string.match(vitals, '^%d+ (%d+) ') or ARGV[5])
local expiry = tonumber(redis.call('ZSCORE', KEYS[3], ARGV[1]) or now + ttl)
local cause = beat and ARGV[3] or 'expired'
-- An id nobody opened gets a tombstone too, so that an opening still under way fails.
redis.call('SET', KEYS[2], cause .. ' ' .. string.format('%.0f', expiry - ttl), 'PX',
  string.format('%.0f', ttl * ARGV[4]))
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], now + ttl * ARGV[4], ARGV[1])
redis.call('ZADD', KEYS[6], 0, ARGV[1])
return beat and 'fenced' or 'dead'
