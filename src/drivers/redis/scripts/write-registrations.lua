-- Changes what a live session has registered in a hub, if its version is the one expected.
-- KEYS 1 the session  2 its records in the hub (hash)  3 the hub's versions (hash)  4 hubs (hash)
--      5 the hubs of the session (hash)
-- ARGV 1 session  2 hub  3 hub as in keys  4 version expected; '' to replace all  5 new version
--      6.. id and record, in turn; a record '' is removed
-- Returns {'written'}, {'conflict', version there} or {'dead'}.
if redis.call('PTTL', KEYS[1]) < 0 then return {'dead'} end
local held = redis.call('HGET', KEYS[3], ARGV[1]) or '0'
if ARGV[4] == '' then
  redis.call('UNLINK', KEYS[2])
elseif held ~= ARGV[4] then
  return {'conflict', held}
end
for i = 6, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[2], ARGV[i])
  else
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[3], ARGV[1], ARGV[5])
  redis.call('HSET', KEYS[4], ARGV[2], ARGV[3])
  redis.call('HSET', KEYS[5], ARGV[2], ARGV[3])
else
  redis.call('HDEL', KEYS[3], ARGV[1])
  redis.call('HDEL', KEYS[5], ARGV[2])
  if redis.call('EXISTS', KEYS[3]) == 0 then
    redis.call('HDEL', KEYS[4], ARGV[2])
  end
end
return {'written'}
