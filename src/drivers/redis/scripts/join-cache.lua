-- Gives a cache region its first stamp, or finds the one it has; either way it is kept longer.
-- KEYS 1 the stamp (hash)
-- ARGV 1 a token, should there be no stamp  2 '1' when values are shared  3 ms to keep it
-- Returns {count, token}.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'birth', ARGV[1], 'count', '0', 'token', ARGV[1])
end
if ARGV[2] == '1' then redis.call('HSET', KEYS[1], 'shares', '1') end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('HMGET', KEYS[1], 'count', 'token')
