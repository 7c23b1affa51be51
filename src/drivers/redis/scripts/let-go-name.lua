-- Frees a name, if the token is the one that holds it.
-- KEYS 1 names (hash)  2 the names of the session (hash)
-- ARGV 1 name  2 token
-- Returns 1 if it was freed, else 0.
-- Also when it was taken away meanwhile: nothing of ours is left to clear.
if redis.call('HGET', KEYS[2], ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[2], ARGV[1])
end
local found = redis.call('HGET', KEYS[1], ARGV[1])
if not found or string.match(found, '^%S+ (%S+) ') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
