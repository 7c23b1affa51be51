-- Reads all there is to know about one session. Writes nothing.
-- KEYS 1 the session  2 its tombstone  3 expiries (zset)  4 descriptions (hash)  5 vitals (hash)
-- ARGV 1 id
-- Returns false, or {'live' or 'dead', cause or '', ms since the last beat, ms until it expires,
-- description, '<beat> <ttl> <vitals>'}.
local described = redis.call('HGET', KEYS[4], ARGV[1])
local vitals = redis.call('HGET', KEYS[5], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
local tomb = redis.call('GET', KEYS[2])
local expiry = redis.call('ZSCORE', KEYS[3], ARGV[1])
if left < 0 and not tomb and not expiry then return false end
-- Buried without ever having been opened: there is nothing to tell.
if tomb and not described then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(string.match(vitals or '', '^%d+ (%d+) ') or 0)
local beaten = expiry and expiry - ttl or now
if left >= 0 then return {'live', '', now - beaten, left, described or '', vitals or ''} end
if not tomb then return {'dead', 'expired', now - beaten, 0, described or '', vitals or ''} end
local cause, last = string.match(tomb, '^(%a+) (%d+)$')
return {'dead', cause or '', now - (last or now), 0, described, vitals or ''}
