-- Reads a page of what a session has registered in a hub. Writes nothing.
-- KEYS 1 its records in the hub (hash)  2 the hub's versions (hash)
-- ARGV 1 session  2 cursor  3 how many, about
-- Returns {version or false, next cursor, {id, record, ...}}.
local page = redis.call('HSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
return {redis.call('HGET', KEYS[2], ARGV[1]), page[1], page[2]}
