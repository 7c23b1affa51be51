-- Reads a shared value, unless something that covers it was evicted since its load began.
-- KEYS 1 the stamp (hash)  2 prefixes evicted (hash)  3 the value (hash)
-- ARGV 1 the key
-- Returns {birth, count, server's time in ms, value or false}.
local stamp = redis.call('HMGET', KEYS[1], 'birth', 'count', 'floor')
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
if not stamp[1] then return {'', '0', now, false} end
local held = redis.call('HMGET', KEYS[3], 'value', 'count', 'birth')
local answer = {stamp[1], stamp[2], now, false}
if not held[1] or held[3] ~= stamp[1] then return answer end
local last = tonumber(stamp[3] or '0')
local prefixes = redis.call('HGETALL', KEYS[2])
for i = 1, #prefixes, 2 do
  if string.sub(ARGV[1], 1, #prefixes[i]) == prefixes[i] then
    last = math.max(last, tonumber(prefixes[i + 1]))
  end
end
if tonumber(held[2]) >= last then answer[4] = held[1] end
return answer
