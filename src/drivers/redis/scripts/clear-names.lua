-- Frees some of the names that a dead session holds; of a live one, none.
-- KEYS 1 the session  2 the names of the session (hash)  3 names (hash)
-- ARGV 1 session  2 how many, about
-- Returns {how many were freed, 1 when none is left, else 0}.
if redis.call('PTTL', KEYS[1]) >= 0 then return {0, 1} end
local freed = 0
local held = redis.call('HSCAN', KEYS[2], '0', 'COUNT', ARGV[2])[2]
for i = 1, #held, 2 do
  local name = held[i]
  local record = redis.call('HGET', KEYS[3], name)
  local mine = ARGV[1] .. ' ' .. held[i + 1] .. ' '
  -- Who took it has a record of its own.
  if record and string.sub(record, 1, #mine) == mine then
    redis.call('HDEL', KEYS[3], name)
    freed = freed + 1
  end
  redis.call('HDEL', KEYS[2], name)
end
return {freed, redis.call('EXISTS', KEYS[2]) == 0 and 1 or 0}
