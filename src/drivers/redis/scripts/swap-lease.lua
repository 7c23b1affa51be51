-- Changes one record of the directory if it is exactly as seen.
-- KEYS 1 the bucket (hash)
-- ARGV 1 document  2 new record, '' to remove it  3... records it may have now, '' for none
-- Returns {1, ...} when it was changed, {0, record or ''} when it was none of those.
local current = redis.call('HGET', KEYS[1], ARGV[1]) or ''
for i = 3, #ARGV do
  if current == ARGV[i] then
    if ARGV[2] == '' then return {1, redis.call('HDEL', KEYS[1], ARGV[1])} end
    return {1, redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])}
  end
end
return {0, current}
