-- Removes the records of one session from one bucket of the directory.
-- KEYS 1 the bucket (hash)
-- ARGV 1 session
-- Returns how many were removed.
local records = redis.call('HGETALL', KEYS[1])
local removed = 0
for i = 1, #records, 2 do
  if string.match(records[i + 1], '^%d+[=?>](.*)$') == ARGV[1] then
    redis.call('HDEL', KEYS[1], records[i])
    removed = removed + 1
  end
end
return removed
