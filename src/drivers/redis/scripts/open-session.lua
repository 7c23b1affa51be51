-- Opens a session whose id was never opened before.
-- KEYS 1 the session  2 its tombstone  3 expiries (zset)  4 graves (zset)
--      5 descriptions (hash)  6 vitals (hash)  7 the boot marker
-- ARGV 1 id  2 token  3 ttl in ms  4 description  5 vitals  6 a boot marker, should there be none
-- Returns {'opened', boot marker} or {'taken'}.
if redis.call('EXISTS', KEYS[1], KEYS[2]) > 0
  or redis.call('ZSCORE', KEYS[3], ARGV[1])
  or redis.call('ZSCORE', KEYS[4], ARGV[1])
then
  return {'taken'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[7], ARGV[6], 'NX')
redis.call('HSET', KEYS[5], ARGV[1], ARGV[4])
redis.call('HSET', KEYS[6], ARGV[1], '0 ' .. ARGV[3] .. ' ' .. ARGV[5])
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])
redis.call('HSET', KEYS[1], 'token', ARGV[2], 'beat', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'opened', redis.call('GET', KEYS[7])}
