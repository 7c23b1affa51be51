-- Raises a document's epoch by one and makes one session its only writer.
-- KEYS 1 the head (hash)  2 the snapshot (hash)
-- ARGV 1 document  2 session  3 expected epoch, '0' for a document never fenced
-- Returns {'conflict', epoch}, or {'fenced', epoch, seq, chain, snapshot's seq, chain, data}, the
-- last three false without a snapshot.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'chain')
local epoch = head[1] or '0'
if epoch ~= ARGV[3] then return {'conflict', epoch} end
-- Not tostring: Lua would write an epoch above 10^14 with an exponent.
epoch = string.format('%.0f', tonumber(epoch) + 1)
redis.call('HSET', KEYS[1], 'doc', ARGV[1], 'epoch', epoch, 'session', ARGV[2],
  'seq', head[2] or '0', 'chain', head[3] or '')
local snapshot = redis.call('HMGET', KEYS[2], 'seq', 'chain', 'data')
return {'fenced', epoch, head[2] or '0', head[3] or '', snapshot[1], snapshot[2], snapshot[3]}
