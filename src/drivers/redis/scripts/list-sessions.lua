-- Lists all that is kept of sessions beside their own keys, as it stands in one moment. Writes
-- nothing.
-- KEYS 1 expiries (zset)  2 graves (zset)  3 descriptions (hash)  4 vitals (hash)
--      5 unswept (zset)
-- Returns {ids in expiries, graves as id and ms until the tombstone expires, ids with a
-- description, ids with vitals, ids nobody has swept}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local graves = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 2, #graves, 2 do
  graves[i] = string.format('%.0f', math.max(0, graves[i] - now))
end
return {
  redis.call('ZRANGE', KEYS[1], 0, -1), graves, redis.call('HKEYS', KEYS[3]),
  redis.call('HKEYS', KEYS[4]), redis.call('ZRANGE', KEYS[5], 0, -1),
}
