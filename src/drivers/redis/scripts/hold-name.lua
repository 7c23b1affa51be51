-- Makes a live session the holder of a name, if nobody alive holds it or it shall be taken.
-- KEYS 1 the session  2 names (hash)  3 the names of the session (hash)  4 expiries (zset)
-- ARGV 1 name  2 token  3 '<session> <token> <what the holder says>'  4 'refuse' or 'take'
-- Returns {'held'}, {'taken' or 'conflict', previous record} or {'dead'}.
if redis.call('PTTL', KEYS[1]) < 0 then return {'dead'} end
local found = redis.call('HGET', KEYS[2], ARGV[1])
local living = false
if found then
  local session, token = string.match(found, '^(%S+) (%S+) ')
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local expiry = session and token ~= ARGV[2] and redis.call('ZSCORE', KEYS[4], session)
  living = expiry and tonumber(expiry) > now
end
if living and ARGV[4] == 'refuse' then return {'conflict', found} end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
if living then return {'taken', found} end
return {'held'}
