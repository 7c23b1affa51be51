/** One piece of text in one file of `dist`, and what stands there instead. */
export interface Edit {
  readonly file: string;
  /** Occurs in the file exactly once. */
  readonly find: string;
  readonly put: string;
}

/** A mechanism, and how to take it out. */
export interface Mutant {
  readonly mechanism: string;
  /** What the program does without it. */
  readonly without: string;
  readonly edits: readonly Edit[];
}

export const mutants = {
  'redis-fence': {
    mechanism: 'the fence of the Redis store',
    without: 'an append of an owner that was fenced off is taken',
    edits: [
      {
        file: 'drivers/redis/scripts/append-ops.lua',
        find: "if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return {'fenced', head[1] or '0'} end",
        put: '',
      },
    ],
  },
  'sqlite-fence': {
    mechanism: 'the fence of the SQLite store',
    without: 'an append of an owner that was fenced off is taken',
    edits: [
      {
        file: 'drivers/sqlite/sqlite-writes.js',
        find: 'if (!head || head.epoch !== epoch || head.session !== session) {',
        put: 'if (!head) {',
      },
    ],
  },
  'epoch-memory': {
    mechanism: 'the memory of epochs in the store',
    without: 'the store believes the directory what the last epoch was',
    edits: [
      {
        file: 'drivers/sqlite/sqlite-writes.js',
        find: 'const epoch = seen?.epoch ?? 0;',
        put: 'const epoch = expectedEpoch;',
      },
    ],
  },
  'own-deadline': {
    mechanism: 'the own deadline of a session',
    without: 'a node trusts its session until somebody tells it otherwise',
    edits: [
      {
        file: 'runtime/sessions/session-deadline.js',
        find: 'return now.monotonicMs < this.#monotonicMs && now.wallMs < this.#wallMs;',
        put: 'return now !== undefined;',
      },
    ],
  },
  deduplication: {
    mechanism: 'the deduplication of ops that are sent again',
    without: 'an op that was applied is applied again',
    edits: [
      {
        file: 'runtime/documents/owned-document.js',
        find: 'if (op.counter <= seen) {',
        put: 'if (op.counter < 0) {',
      },
      {
        file: 'runtime/documents/owned-document.js',
        find: 'if (op.counter !== expected)',
        put: 'if (op.counter > expected)',
      },
    ],
  },
  'gap-replay': {
    mechanism: 'the replay of a gap',
    without: 'a subscriber that missed an op waits for it for ever',
    edits: [
      {
        file: 'runtime/documents/feed.js',
        find: "if (this.#waiting.size > 0)\n            this.#replay('gap');\n        else if (this.#doubted)",
        put: 'if (this.#doubted)',
      },
    ],
  },
  'tail-check': {
    mechanism: 'the tail check',
    without: 'nobody notices that the last message was lost',
    edits: [
      {
        file: 'runtime/documents/feed.js',
        find: 'if (quietMs < protocol.tailCheckMs || this.#replaying)',
        put: 'if (quietMs >= 0)',
      },
    ],
  },
  'ack-order': {
    mechanism: 'the order of append and acknowledgement',
    without: 'an op is acknowledged before the store has it',
    edits: [
      {
        file: 'runtime/documents/owned-document.js',
        find: 'this.#appending = new Set(batch);',
        put: 'this.#appending = new Set(batch); ops.forEach((op, at) => batch[at].resolve({ seq: op.seq, epoch: this.epoch, duplicate: false }));',
      },
    ],
  },
  'commit-order': {
    mechanism: 'the order of commit and answer in the SQLite store',
    without: 'a write is answered, and committed a moment later',
    edits: [
      { file: 'drivers/sqlite/group-commit.js', find: "this.#db.exec('COMMIT');\n", put: '\n' },
      {
        file: 'drivers/sqlite/sqlite-worker.js',
        find: 'answer(queue[0] && isWrite(queue[0]) ? commitNext() : [performNext()]);',
        put: `answer(queue[0] && isWrite(queue[0]) ? commitNext() : [performNext()]);
          if (db?.isTransaction) {
            const parked = new Int32Array(new SharedArrayBuffer(4));
            Atomics.wait(parked, 0, 0, 400);
            db.exec('COMMIT');
            // Others want to write as well.
            Atomics.wait(parked, 0, 0, 20);
          }`,
      },
    ],
  },
  'dead-stay-dead': {
    mechanism: 'a dead session stays dead',
    without: 'a renewal brings a dead session back to life',
    edits: [
      {
        file: 'drivers/redis/scripts/renew-session.lua',
        find: "if held[1] ~= ARGV[2] or not held[2] then return {'dead'} end",
        put: "if not held[2] then redis.call('HSET', KEYS[1], 'token', ARGV[2]) held[2] = string.format('%.0f', ARGV[3] - 1) end",
      },
    ],
  },
  'fenced-step-down': {
    mechanism: 'a node whose session was fenced steps down',
    without: 'a node goes on with a session that it was told is dead',
    edits: [
      {
        file: 'runtime/sessions/session-keeper.js',
        find: "if (answer.status === 'dead')\n            return this.#lose(held, 'found dead');",
        put: "if (answer.status === 'dead')\n            return held.deadline.renewed(sent, dials.leaseTtlMs);",
      },
    ],
  },
  'new-session': {
    mechanism: 'a new session after the loss of one',
    without: 'a node that lost its session never comes back',
    edits: [
      {
        file: 'runtime/sessions/session-keeper.js',
        find: 'this.#forget(held, why);\n        await this.#reopen();',
        put: 'this.#forget(held, why);',
      },
    ],
  },
  'beat-check': {
    mechanism: 'the beat counter is looked at before a session is fenced',
    without: 'a session is fenced although it was renewed since it was suspected',
    edits: [
      {
        file: 'drivers/redis/scripts/bury-session.lua',
        find: "if beat and beat ~= ARGV[2] then return 'renewed' end",
        put: "if beat and ARGV[2] == '-1' then return 'renewed' end",
      },
    ],
  },
  'fast-takeover': {
    mechanism: 'the fast takeover from an owner that nobody can reach',
    without: 'a dead owner is replaced when the node timeout has passed',
    edits: [
      {
        file: 'runtime/sessions/session-watch.js',
        find: 'if (!this.#parts.fastTakeover || !this.isCalm())',
        put: 'if (this.#parts.fastTakeover || !this.isCalm())',
      },
    ],
  },
  sweep: {
    mechanism: 'the sweep of what a dead session left',
    without: 'leases of the dead stay in the directory',
    edits: [
      {
        file: 'runtime/sessions/sweeper.js',
        find: 'await this.#fenceSilent(live);\n            await this.#sweepDead();',
        put: 'await this.#fenceSilent(live);',
      },
    ],
  },
  'hand-over': {
    mechanism: 'the clean hand-over of a node that is told to stop',
    without: 'a node that is told to stop ends as if it had crashed',
    edits: [
      { file: 'host-node.js', find: 'await node.drain().catch(() => { });', put: '' },
      {
        file: 'host-node.js',
        find: 'undo.push(() => node.stop());',
        put: "undo.push(() => node.stop('crash'));",
      },
    ],
  },
  'request-end': {
    mechanism: 'the deadline of a request, and asking again before it',
    without: 'a request that was lost waits for ever',
    edits: [
      {
        file: 'runtime/requests/requester.js',
        find: 'const timer = clock.after(remainingMs, () =>',
        put: 'const timer = clock.after(86_400_000, () =>',
      },
      {
        file: 'runtime/requests/requester.js',
        find: 'if (pending.againAtMs > nowMs)',
        put: 'if (pending.againAtMs > 0)',
      },
      {
        file: 'runtime/requests/document-router.js',
        find: 'const timer = clock.after(request.timeoutMs, giveUp);',
        put: 'const timer = clock.after(86_400_000, giveUp);',
      },
    ],
  },
  'awareness-repeat': {
    mechanism: 'the repetition of awareness that has not changed',
    without: 'a state whose message was lost, or that stands still, is seen by nobody',
    edits: [
      {
        file: 'runtime/awareness/awareness.js',
        find: 'if (nowMs - local.sentMs > this.#parts.ttlMs / 2)',
        put: 'if (nowMs < local.sentMs)',
      },
    ],
  },
  'awareness-expiry': {
    mechanism: 'the end of awareness that nobody repeats',
    without: 'who left while nobody could hear it is seen for ever',
    edits: [
      {
        file: 'runtime/awareness/awareness.js',
        find: 'if (expiresMs > nowMs)',
        put: 'if (expiresMs > 0)',
      },
    ],
  },
  'awareness-death': {
    mechanism: 'the end of awareness with the session it hung on',
    without: 'peers of a node that died are seen until their time runs out',
    edits: [
      {
        file: 'runtime/node-parts.js',
        find: 'shared.watch.onDeath((session) => awareness.forgetSession(session));',
        put: '',
      },
    ],
  },
  'self-probe': {
    mechanism: 'the reconnect of a node that does not hear itself',
    without: 'a node that went deaf stays deaf',
    edits: [
      {
        file: 'runtime/health/subscriber-probe.js',
        find: 'await bus.reconnectSubscriber().catch(() => { });',
        put: 'await bus;',
      },
    ],
  },
  'cache-look': {
    mechanism: 'the look that finds what was evicted unheard',
    without: 'a node that hears of no eviction serves what it has',
    edits: [
      {
        file: 'runtime/cache/region-stamps.js',
        find: "if (!missed || known.count >= missed.stamp.count)\n            return 'pending';",
        put: 'if (missed !== undefined) return this.#confirm(asked);',
      },
    ],
  },
  'presence-compare': {
    mechanism: 'the comparison of a replica of connections with the broker',
    without: 'nobody notices that the last change of a connection was lost',
    edits: [
      {
        file: 'runtime/presence/hub-feeds.js',
        find: 'await followed.feed.compare().then((versions) => compared(hub, versions));',
        put: 'await null;',
      },
    ],
  },
  'presence-death': {
    mechanism: 'the end of connections with the session of their node',
    without: 'connections of a node that died are seen for ever',
    edits: [
      {
        file: 'runtime/presence/presence.js',
        find: 'parts.watch.onDeath((one) => this.feeds.drop(one));',
        put: '',
      },
      {
        file: 'runtime/presence/hub-feed.js',
        find: 'if (!versions.has(one) && isUntouched(one))',
        put: 'if (versions.has(one) && !versions.has(one))',
      },
    ],
  },
  'presence-again': {
    mechanism: 'the registration of all connections in a new session',
    without: 'connections of a node that lost its session are seen by nobody else',
    edits: [
      {
        file: 'runtime/presence/presence.js',
        find: 'this.own.reopened(session);',
        put: '',
      },
      { file: 'runtime/presence/presence.js', find: 'this.own.rewrite(hub);', put: ';' },
    ],
  },
  'group-order': {
    mechanism: 'the one writer of a connection, who makes one change after the other',
    without: 'of two changes at once the later one undoes the earlier',
    edits: [
      {
        file: 'runtime/presence/own-connections.js',
        find: 'own.connections.put(changed);',
        put: 'await new Promise((resolve) => setTimeout(resolve, 25)); own.connections.put(changed);',
      },
    ],
  },
  'chain-check': {
    mechanism: 'the chain over the log, which shows that a store was put back',
    without: 'an owner goes on where a log that was put back ends',
    edits: [
      {
        file: 'runtime/documents/owned-document.js',
        find: "rewound ? 'LOG_REWOUND' : 'CONFLICT'",
        put: "rewound ? 'CONFLICT' : 'CONFLICT'",
      },
      {
        file: 'runtime/documents/load-document.js',
        find: 'if (!rewound)',
        put: 'if (rewound !== null)',
      },
    ],
  },
} as const satisfies Record<string, Mutant>;

/** What a mutant is that the program has outgrown. */
const misfit: Mutant = {
  mechanism: 'nothing',
  without: 'no node starts',
  edits: [{ file: 'main.js', find: 'what no program ever held', put: '' }],
};

export type MutantName = keyof typeof mutants;

export function mutantNamed(name: string): Mutant {
  if (name === 'misfit') return misfit;
  const mutant = Object.hasOwn(mutants, name) ? mutants[name as MutantName] : undefined;
  if (mutant === undefined) throw new Error(`no mutant is called "${name}"`);
  return mutant;
}

/** The text with every piece replaced. Throws when a piece is not there exactly once. */
export function withEdits(text: string, edits: readonly Edit[]): string {
  let edited = text;
  for (const { file, find, put } of edits) {
    const count = edited.split(find).length - 1;
    if (count !== 1) throw new Error(`${file} has ${count} times, and not once: ${find}`);
    edited = edited.replace(find, () => put);
  }
  return edited;
}
