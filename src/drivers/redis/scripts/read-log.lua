-- Reads ops in order, fewer than asked when they are large. Writes nothing.
-- KEYS 1 the log (stream)
-- ARGV 1 the seq to read after  2 how many at most  3 bytes of payload after which to stop
-- Returns the entries as XRANGE gives them.
local entries = {}
local bytes = 0
local limit = tonumber(ARGV[2])
local last = tonumber(ARGV[1])
while #entries < limit and bytes < tonumber(ARGV[3]) do
  -- In small steps: XRANGE cannot be told how many bytes are too many.
  local count = math.min(16, limit - #entries)
  local some = redis.call('XRANGE', KEYS[1], string.format('%.0f-0', last + 1), '+', 'COUNT', count)
  for _, entry in ipairs(some) do
    entries[#entries + 1] = entry
    bytes = bytes + #entry[2][#entry[2]]
  end
  if #some < count then break end
  last = tonumber(string.match(some[#some][1], '^%d+'))
end
return entries
