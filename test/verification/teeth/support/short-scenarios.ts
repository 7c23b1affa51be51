/** Leases as short as a busy machine can keep them. */
const serve = { 'lease-ttl': '1500ms', heartbeat: '300ms', 'node-timeout': '900ms' };
const two = { nodes: 2, serve };
const budgets = {
  ...{ recovery: '12s', cleanup: '3s', return: '8s', awareness: '300ms', lateness: '1s' },
  settle: '4s',
};
/** On the first node, which owns every document; peers in turn on each. */
const load = {
  ...{ documents: 4, peers: 4, followers: 4, ownedBy: 'node-1', awarenessPerSecond: 0 },
  ...{ opsPerSecond: 60, requestsPerSecond: 60, requestTimeout: '3s' },
};
/** Scripts of the store that write to a document; their hash is another one in a mutant. */
const documentScripts = { command: 'EVAL*', key: '*:head' };
const inTurn = (...steps: object[]) => ({ repeat: 1, steps });

/** What an owner says is held back until it was given up for dead, and others own its documents. */
const lateAppends = {
  cluster: two,
  workload: { ...load, documents: 40, followers: 2, opsPerSecond: 40, requestsPerSecond: 250 },
  budgets,
  steps: [
    { run: '300ms' },
    { fault: 'slow-command', on: 'node-1', ...documentScripts, by: '9s', for: '1900ms' },
    { run: '300ms' },
  ],
};

/** The same with a file: appends wait for a lock in a process that stands still meanwhile. */
const lateCommits = {
  cluster: { ...two, store: 'sqlite' },
  workload: { ...load, documents: 120, followers: 2, opsPerSecond: 100, requestsPerSecond: 400 },
  budgets,
  steps: [
    { run: '300ms' },
    {
      together: [
        { fault: 'store-refuse', for: '700ms' },
        inTurn({ run: '300ms' }, { fault: 'pause', on: 'node-1', for: '2s' }),
      ],
    },
    { run: '300ms' },
  ],
};

/** The owner sleeps for longer than its lease while peers go on asking it. */
const sleepingOwner = {
  cluster: two,
  workload: { ...load, opsPerSecond: 30, requestsPerSecond: 150, requestTimeout: '5s' },
  budgets,
  steps: [{ run: '300ms' }, { fault: 'pause', on: 'node-1', for: '4s' }, { run: '700ms' }],
};

/** Appends are carried out, and the connection breaks before the owner hears of it. */
const lostAnswers = {
  cluster: two,
  workload: load,
  budgets,
  steps: [
    { run: '300ms' },
    {
      together: [
        {
          ...{ fault: 'slow-command', on: 'node-1', ...documentScripts },
          ...{ late: 'reply', by: '5s', for: '600ms' },
        },
        inTurn(
          { run: '400ms' },
          { fault: 'reset', on: 'node-1', connections: 'command', for: '1ms' },
        ),
      ],
    },
    { run: '500ms' },
  ],
};

/** The store takes nothing. */
const refusedAppends = {
  cluster: two,
  workload: load,
  budgets,
  steps: [
    { run: '300ms' },
    { fault: 'refuse-command', on: 'node-1', ...documentScripts, for: '400ms' },
    { run: '500ms' },
  ],
};

/** The owner is killed while its appends wait for the lock of a file. */
const killedCommit = {
  cluster: { ...two, store: 'sqlite' },
  workload: load,
  budgets,
  steps: [
    { run: '300ms' },
    {
      together: [
        { fault: 'store-refuse', for: '900ms' },
        inTurn({ run: '300ms' }, { fault: 'kill', on: 'node-1', for: '800ms' }),
      ],
    },
    { run: '500ms' },
  ],
};

/** A node hears only half of the ops for a while. */
const lostMessages = {
  cluster: two,
  workload: { ...load, opsPerSecond: 100 },
  budgets: { ...budgets, settle: '2500ms' },
  steps: [
    { run: '300ms' },
    { fault: 'drop-channel', on: 'node-2', channel: '*:doc:*', share: 0.5, for: '600ms' },
    { run: '500ms' },
  ],
};

/** A node hears nothing of the last ops of many documents. */
const lostLastMessages = {
  cluster: two,
  workload: { ...load, documents: 60, followers: 2 },
  budgets: { ...budgets, settle: '8s' },
  steps: [
    { run: '300ms' },
    { fault: 'drop-channel', on: 'node-2', channel: '*:doc:*', for: '800ms' },
    // Some more ops, for a few of them: what recovers from a fault needs a load.
    { run: '150ms' },
  ],
};

/** A node hears nothing of what is evicted from its cache, for longer than it may serve it. */
const lostEvictions = {
  cluster: two,
  workload: load,
  budgets,
  steps: [
    { run: '1s' },
    { fault: 'drop-channel', on: 'node-2', channel: '*:cache:*', for: '6s' },
    { run: '500ms' },
  ],
};

/** A node hears nothing of the connections of others, and little happens to them afterwards. */
const lostChanges = {
  cluster: two,
  workload: load,
  budgets,
  steps: [
    { run: '300ms' },
    { fault: 'drop-channel', on: 'node-2', channel: '*:presence:*', for: '5s' },
    // Some more ops: what recovers from a fault needs a load.
    { run: '150ms' },
  ],
};

/** Connections lose their node, and another one takes its place. */
const deadHolder = {
  cluster: two,
  workload: load,
  budgets,
  steps: [{ run: '1s' }, { fault: 'kill', on: 'node-1', for: '2s' }, { run: '300ms' }],
};

/** A node sleeps for longer than its session lives, and its connections do not notice. */
const sleepingHolder = {
  cluster: two,
  workload: load,
  budgets,
  steps: [{ run: '1s' }, { fault: 'pause', on: 'node-1', for: '4s' }, { run: '300ms' }],
};

/** Requests to the owner are lost on their way. */
const lostRequests = {
  cluster: { nodes: 2, serve: { ...serve, 'request-timeout': '1s' } },
  workload: load,
  budgets,
  steps: [
    { run: '300ms' },
    { fault: 'drop-channel', on: 'node-1', channel: '*:inbox:*', for: '500ms' },
    { run: '300ms' },
  ],
};

/** The owner sleeps for a little longer than its lease. */
const nappingOwner = {
  cluster: two,
  workload: load,
  budgets: { ...budgets, return: '2500ms' },
  steps: [{ run: '300ms' }, { fault: 'pause', on: 'node-1', for: '1700ms' }, { run: '2s' }],
};

/** Nobody can reach the owner, which goes on renewing its session. */
const unreachableOwner = {
  cluster: { nodes: 2, serve: { ...serve, 'takeover-grace': '700ms' } },
  workload: load,
  budgets,
  steps: [
    { run: '300ms' },
    { fault: 'deaf', on: 'node-1', how: 'cut', for: '1500ms' },
    { run: '500ms' },
  ],
};

/** A node dies with many documents that nobody asks for. */
const deadOwner = {
  cluster: two,
  workload: { ...load, documents: 150, followers: 1, opsPerSecond: 30, requestsPerSecond: 0 },
  budgets,
  steps: [{ run: '300ms' }, { fault: 'kill', on: 'node-1', for: '300ms' }, { run: '1500ms' }],
};

/** Whoever waits for a lease or a node timeout would be seen to. */
const patient = { 'lease-ttl': '9s', heartbeat: '1s', 'node-timeout': '8s' };

/** The owner is killed. */
const killedOwner = {
  cluster: { nodes: 2, serve: patient },
  workload: load,
  budgets: { ...budgets, recovery: '6s' },
  steps: [{ run: '300ms' }, { fault: 'kill', on: 'node-1', for: '300ms' }, { run: '7s' }],
};

/** A node is told to stop, and nobody suspects anybody soon. */
const stoppedOwner = {
  cluster: { nodes: 2, serve: { ...patient, 'takeover-grace': '4s' } },
  workload: load,
  budgets: { ...budgets, recovery: '3s', cleanup: '1s' },
  steps: [{ run: '300ms' }, { fault: 'terminate', on: 'node-1', for: '1ms' }, { run: '3500ms' }],
};

/** Cursors stand still after some of their moves were lost. */
const stillCursors = {
  cluster: { nodes: 2, serve: { ...serve, 'awareness-ttl': '1500ms' } },
  workload: { ...load, awarenessPerSecond: 30 },
  budgets: { ...budgets, awareness: '2500ms' },
  steps: [
    { run: '300ms' },
    { fault: 'drop-channel', on: 'node-2', channel: '*:doc:*', share: 0.5, for: '500ms' },
    { run: '300ms' },
  ],
};

/** Others come and go where a node does not hear it. */
const lostFarewells = {
  cluster: { nodes: 2, serve: { ...serve, 'awareness-ttl': '1500ms' } },
  workload: { ...load, awarenessPerSecond: 10, guests: 4 },
  budgets: { ...budgets, awareness: '2500ms' },
  steps: [
    { run: '300ms' },
    { fault: 'drop-channel', on: 'node-2', channel: '*:doc:*', for: '1200ms' },
    { run: '300ms' },
  ],
};

/** A node dies, and with it whoever looked in through it. */
const deadHost = {
  cluster: two,
  workload: { ...load, awarenessPerSecond: 10, guests: 4 },
  budgets: { ...budgets, awareness: '2500ms' },
  steps: [{ run: '800ms' }, { fault: 'kill', on: 'node-1', for: '2s' }, { run: '300ms' }],
};

/**
 * The owner hears nothing any more on the connection it has. Guests keep it in the channel of the
 * document: leaving one would show that the connection is stuck.
 */
const wedgedOwner = {
  cluster: two,
  workload: { ...load, documents: 1, peers: 1, followers: 1, ownedBy: 'node-2', guests: 2 },
  budgets: { ...budgets, recovery: '8s' },
  steps: [{ run: '300ms' }, { fault: 'wedge', on: 'node-2', for: '9s' }, { run: '500ms' }],
};

/** Nothing to speak of. */
const calm = {
  cluster: two,
  workload: { ...load, documents: 2, peers: 8, followers: 8 },
  budgets,
  steps: [{ run: '300ms' }, { fault: 'latency', on: 'node-2', by: '1ms', for: '2500ms' }],
};

/** The owner is killed, and its store is a file. */
const killedWriter = {
  cluster: { ...two, store: 'sqlite' },
  workload: load,
  budgets,
  steps: [{ run: '500ms' }, { fault: 'kill', on: 'node-1', for: '300ms' }, { run: '700ms' }],
};

/** The broker comes back with nothing of what it had; the logs are elsewhere. */
const emptiedBroker = {
  cluster: { ...two, store: 'sqlite' },
  workload: load,
  budgets,
  steps: [
    { run: '400ms' },
    { fault: 'broker-restart', keepData: false, for: '300ms' },
    { run: '2500ms' },
  ],
};

export const shortScenarios = {
  killedOwner,
  emptiedBroker,
  killedWriter,
  lostFarewells,
  deadHost,
  wedgedOwner,
  calm,
  lateAppends,
  lateCommits,
  sleepingOwner,
  lostAnswers,
  refusedAppends,
  killedCommit,
  lostEvictions,
  lostChanges,
  deadHolder,
  sleepingHolder,
  lostMessages,
  lostLastMessages,
  lostRequests,
  nappingOwner,
  unreachableOwner,
  deadOwner,
  stoppedOwner,
  stillCursors,
} satisfies Record<string, object>;
