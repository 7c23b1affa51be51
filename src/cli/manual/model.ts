/** The words of the product, in the order in which they explain each other. */
export const terms: readonly (readonly [string, string])[] = [
  ['node', 'one running process of the runtime; the operator chooses its nodeId'],
  [
    'session',
    'one life of a node: a random id, kept alive by heartbeats, never reused; a node that restarts, or whose session expired, has a new session',
  ],
  ['document', 'one ordered stream of ops, named by a string'],
  ['lease', 'the record that says which session owns a document'],
  [
    'epoch',
    'the fencing token: a number that grows by at least one at every change of ownership of a document, for ever',
  ],
  ['seq', 'the position of an op in its document: 1, 2, 3 and so on, with no gap'],
  ['op', 'one accepted change of a document; its payload is opaque bytes or JSON'],
  ['peer', 'a client joined to a document through some node'],
  ['awareness', 'ephemeral state of a peer, as a cursor; the last write wins, nothing is stored'],
  ['bus', 'publish and subscribe between nodes; it may lose messages'],
  ['store', 'where op logs and snapshots live; the judge of every write'],
  ['engine', 'what carries the bus and the leases: embedded, local or Redis'],
];

/** What holds under kills, pauses, cut connections, and a broker that comes back empty. */
export const guarantees: readonly (readonly [string, string])[] = [
  [
    'acked is kept',
    'An op acknowledged to a peer is in the log of its document for ever, exactly once, as long as the store keeps its own promise.',
  ],
  [
    'one order',
    'seq has no gap; every subscriber on every node delivers the ops of a document in seq order, each once.',
  ],
  ['fenced', 'After an epoch is granted, no op with a smaller epoch is ever accepted.'],
  [
    'exactly once',
    'The same opId sent again, also after a failover or through another node, gives the same seq and is applied once.',
  ],
  [
    'an answer by the deadline',
    'Every request ends in one reply or one error, and the error says whether the request may have happened.',
  ],
  [
    'the dead are forgotten',
    'What a dead session registered is gone within the node timeout and one sweep.',
  ],
  [
    'the living are not',
    'A node wrongly given up for dead notices, takes a new session, and is whole again without a restart.',
  ],
  ['looking changes nothing', 'No command that reads writes anything.'],
];
