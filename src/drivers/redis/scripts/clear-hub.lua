-- Removes what a dead session has registered in a hub; of a live one, nothing.
-- KEYS 1 the session  2 its records in the hub (hash)  3 the hub's versions (hash)  4 hubs (hash)
--      5 the hubs of the session (hash)
-- ARGV 1 session  2 hub
-- Returns 1 if it was removed, else 0.
if redis.call('PTTL', KEYS[1]) >= 0 then return 0 end
redis.call('UNLINK', KEYS[2])
redis.call('HDEL', KEYS[3], ARGV[1])
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('HDEL', KEYS[4], ARGV[2])
end
redis.call('HDEL', KEYS[5], ARGV[2])
return 1
