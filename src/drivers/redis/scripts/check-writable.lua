-- Does what an append does, so that it fails as an append would. No step leaves anything behind,
-- whichever of them is refused: Redis takes nothing back.
-- KEYS 1 a hash nobody uses  2 a stream nobody uses
-- ARGV 1 a channel nobody listens to
-- Returns 1.
redis.call('PUBLISH', ARGV[1], '')
redis.call('DEL', KEYS[1])
redis.call('XADD', KEYS[2], 'NOMKSTREAM', '1-0', 'probe', '1')
redis.call('HSET', KEYS[1], 'probe', '1')
redis.call('DEL', KEYS[1])
return 1
