-- Counts an eviction, remembers it for values of the region that are shared, and announces it.
-- KEYS 1 the stamp (hash)  2 prefixes evicted (hash)  3 the value of the key (hash)
--      4 when the key was evicted (string); of a prefix or region, 3 and 4 are not used
-- ARGV 1 key, prefix or region  2 the prefix  3 token  4 count and  5 token that were seen, '' for any
--      6 ms to keep the stamp  7 ms to remember a key  8 prefixes remembered at most
--      9 channel  10 announcement
-- Returns {'changed'}, {'evicted', count, receivers, '' or why the announcement failed}.
local stamp = redis.call('HMGET', KEYS[1], 'count', 'token', 'shares')
local count, token = tonumber(stamp[1] or '0'), stamp[2] or ''
if ARGV[4] ~= '' and (stamp[1] ~= ARGV[4] or token ~= ARGV[5]) then return {'changed'} end
-- The answer to the same eviction was lost.
if token == ARGV[3] then return {'evicted', count, 0, ''} end
count = count + 1
if not stamp[1] then redis.call('HSET', KEYS[1], 'birth', ARGV[3]) end
redis.call('HSET', KEYS[1], 'count', string.format('%.0f', count), 'token', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
if stamp[3] then
  if ARGV[1] == 'key' then
    redis.call('DEL', KEYS[3])
    redis.call('SET', KEYS[4], string.format('%.0f', count), 'PX', ARGV[7])
  elseif ARGV[1] == 'prefix' and #redis.call('HGETALL', KEYS[2]) < 2 * tonumber(ARGV[8]) then
    redis.call('HSET', KEYS[2], ARGV[2], string.format('%.0f', count))
    redis.call('PEXPIRE', KEYS[2], ARGV[6])
  else
    redis.call('HSET', KEYS[1], 'floor', string.format('%.0f', count))
    redis.call('DEL', KEYS[2])
  end
end
-- It is evicted by now: nodes that are not told notice by the count.
local trailer = string.format('%016.0f', count) .. string.format('%-16s', token)
local receivers = redis.pcall('PUBLISH', ARGV[9], ARGV[10] .. trailer)
if type(receivers) == 'table' then return {'evicted', count, 0, receivers.err or 'unknown'} end
return {'evicted', count, receivers, ''}
