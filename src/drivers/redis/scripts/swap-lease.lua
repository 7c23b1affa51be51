-- Changes one record of the directory if it is exactly as seen.
-- KEYS 1 the bucket (hash)  2 the session that the new record names, where it has to be alive: in
--      another slot than the bucket, which a server that is no cluster does not mind
-- ARGV 1 document  2 new record, '' to remove it  3... records it may have now, '' for none
-- Returns {1, ...} when it was changed, {0, record or ''} when it was none of those, {2, ''} when
-- that session is dead.
if KEYS[2] and redis.call('PTTL', KEYS[2]) < 0 then return {2, ''} end
local current = redis.call('HGET', KEYS[1], ARGV[1]) or ''
for i = 3, #ARGV do
  if current == ARGV[i] then
    if ARGV[2] == '' then return {1, redis.call('HDEL', KEYS[1], ARGV[1])} end
    return {1, redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])}
  end
end
return {0, current}
