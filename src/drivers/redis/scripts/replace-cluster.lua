-- Writes the cluster's record if none is there, or one with the id that was seen.
-- KEYS 1 the record (string)
-- ARGV 1 the id that was seen  2 the new record
-- Returns the record that is there now.
local current = redis.call('GET', KEYS[1])
if current and cjson.decode(current).id ~= ARGV[1] then return current end
redis.call('SET', KEYS[1], ARGV[2])
return ARGV[2]
