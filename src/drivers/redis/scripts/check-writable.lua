-- Does what an append does, to a key of its own, and takes it back.
-- KEYS 1 a hash nobody uses  2 a stream nobody uses
-- ARGV 1 a channel nobody listens to
-- Returns 1, or fails as an append would.
redis.call('HSET', KEYS[1], 'probe', '1')
redis.call('XADD', KEYS[2], '1-0', 'probe', '1')
redis.call('DEL', KEYS[1])
redis.call('DEL', KEYS[2])
redis.call('PUBLISH', ARGV[1], '')
return 1
