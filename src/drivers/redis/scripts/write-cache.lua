-- Writes a shared value, unless something that covers it was evicted since its load began.
-- KEYS 1 the stamp (hash)  2 prefixes evicted (hash)  3 the value (hash)
--      4 when the key was evicted (string)
-- ARGV 1 the key  2 value  3 ms to keep it  4 birth  5 count  6 server's time in ms, of the read
--      before the load  7 ms a load may take
-- Returns 1 when it was written, 0 when not.
local stamp = redis.call('HMGET', KEYS[1], 'birth', 'count', 'floor', 'shares')
if stamp[1] ~= ARGV[4] or not stamp[4] then return 0 end
local began = tonumber(ARGV[5])
if tonumber(stamp[2]) < began then return 0 end
local time = redis.call('TIME')
local took = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[6])
if took < 0 or took > tonumber(ARGV[7]) then return 0 end
local last = math.max(tonumber(stamp[3] or '0'), tonumber(redis.call('GET', KEYS[4]) or '0'))
local prefixes = redis.call('HGETALL', KEYS[2])
for i = 1, #prefixes, 2 do
  if string.sub(ARGV[1], 1, #prefixes[i]) == prefixes[i] then
    last = math.max(last, tonumber(prefixes[i + 1]))
  end
end
if last > began then return 0 end
redis.call('HSET', KEYS[3], 'value', ARGV[2], 'count', ARGV[5], 'birth', ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return 1
