-- Appends ops to a document's log and announces them: all or nothing, in one step.
-- KEYS 1 the head (hash)  2 the log (stream)
-- ARGV 1 epoch  2 session  3 seq and  4 chain of the log's end  5 channel, '' for none
--      6 announcement  then for each op: epoch, peer, counter, at, chain, payload
-- Returns {'appended', receivers, '' or why the announcement failed}, {'fenced', epoch} or
-- {'conflict', seq, chain}.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'session', 'seq', 'chain')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return {'fenced', head[1] or '0'} end
if head[3] ~= ARGV[3] or head[4] ~= ARGV[4] then return {'conflict', head[3], head[4]} end
-- Says again what is there. If this may not be written, it is better known before the log grew: a
-- head that lags behind its log would never take an op again.
redis.call('HSET', KEYS[1], 'seq', ARGV[3]) -- changes nothing
local seq = tonumber(ARGV[3])
for i = 7, #ARGV, 6 do
  seq = seq + 1
  redis.call('XADD', KEYS[2], string.format('%.0f-0', seq), 'epoch', ARGV[i],
    'peer', ARGV[i + 1], 'counter', ARGV[i + 2], 'at', ARGV[i + 3], 'chain', ARGV[i + 4],
    'payload', ARGV[i + 5])
end
redis.call('HSET', KEYS[1], 'seq', string.format('%.0f', seq), 'chain', ARGV[#ARGV - 1])
if ARGV[5] == '' then return {'appended', 0, ''} end
-- The ops are written by now: a failure to announce them must not look like a failure to write.
local receivers = redis.pcall('PUBLISH', ARGV[5], ARGV[6])
if type(receivers) == 'table' then return {'appended', 0, receivers.err or 'unknown'} end
return {'appended', receivers, ''}
