-- Keeps a snapshot if its epoch is the fenced one and no newer snapshot is there.
-- KEYS 1 the head (hash)  2 the snapshot (hash)
-- ARGV 1 epoch  2 seq  3 chain  4 data
-- Returns 1 when it was kept, else 0.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local kept = redis.call('HGET', KEYS[2], 'seq')
if kept and tonumber(kept) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[2], 'seq', ARGV[2], 'chain', ARGV[3], 'data', ARGV[4])
return 1
