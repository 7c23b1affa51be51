-- Reads one name, or a page of them, leaving out those whose session is dead. Writes nothing.
-- KEYS 1 names (hash)  2 expiries (zset)
-- ARGV 1 name, or '' for a page  2 cursor  3 how many, about
-- Returns {next cursor, {name, record, ...}}.
local cursor, found = '0', {}
if ARGV[1] == '' then
  local page = redis.call('HSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
  cursor, found = page[1], page[2]
else
  local record = redis.call('HGET', KEYS[1], ARGV[1])
  if record then found = {ARGV[1], record} end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local living = {}
for i = 1, #found, 2 do
  local session = string.match(found[i + 1], '^(%S+) ')
  local expiry = session and redis.call('ZSCORE', KEYS[2], session)
  if expiry and tonumber(expiry) > now then
    living[#living + 1] = found[i]
    living[#living + 1] = found[i + 1]
  end
end
return {cursor, living}
