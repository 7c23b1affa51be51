import type { Mutation } from './mutant-run.ts';

export interface Mutant {
  readonly name: string;
  /** Laws of which one has to find it out. */
  readonly laws: readonly string[];
  readonly mutations: readonly Mutation[];
  /** It takes many seeds, or long, to find it out: `npm run mutants` has the time. */
  readonly isElusive?: true;
}

/** The mechanisms that exist for a law, each taken out once. */
export const mutants: readonly Mutant[] = [
  {
    name: 'the store takes writes of whoever was fenced off',
    laws: ['no-write-below-epoch'],
    mutations: [
      {
        file: 'drivers/memory/memory-document.ts',
        from: 'if (epoch !== this.#epoch || session !== this.#session) {',
        to: 'if (epoch < 0 || session === null) {',
      },
    ],
  },
  {
    name: 'the epoch is the one the directory remembers',
    laws: ['epochs-grow', 'one-owner-per-epoch'],
    mutations: [
      {
        file: 'drivers/memory/memory-document.ts',
        from: "if (expectedEpoch !== this.#epoch) return { status: 'conflict', epoch: this.#epoch };\n    this.#epoch += 1;",
        to: 'this.#epoch = expectedEpoch + 1;',
      },
    ],
  },
  {
    name: 'the log is not compared before a write',
    isElusive: true,
    laws: ['applied-once', 'seq-without-gap', 'nothing-unexpected', 'acked-is-kept', 'one-order'],
    mutations: [
      {
        file: 'drivers/memory/memory-document.ts',
        from: 'if (after.seq !== end.seq || after.chain !== end.chain) return',
        to: 'if (after.seq < -1) return',
      },
      {
        file: 'drivers/memory/memory-document.ts',
        from: "invariant(op.seq === after.seq + 1 + i, 'the ops of an append are consecutive');",
        to: "invariant(op.seq > i, 'the ops of an append are consecutive');",
      },
      {
        file: 'runtime/documents/owned-document.ts',
        from: 'this.#lose(error);\n    }\n  }\n\n  #order',
        to: 'this.end(error); this.#ended = null;\n    }\n  }\n\n  #order',
      },
    ],
  },
  {
    name: 'an op is acknowledged before the store has it',
    laws: ['acked-is-kept'],
    mutations: [
      {
        file: 'runtime/documents/owned-document.ts',
        from: 'this.#appending = new Set(batch);\n    try {',
        to: 'this.#appending = new Set(batch);\n    batch.forEach((waiting, index) => waiting.resolve({ seq: ops[index]!.seq, epoch: this.epoch, duplicate: false }));\n    try {',
      },
    ],
  },
  {
    name: 'an append of unknown outcome counts as made',
    laws: ['acked-is-kept'],
    mutations: [
      {
        file: 'runtime/documents/owned-document.ts',
        from: 'const error = asBackplaneError(thrown);\n      // The store',
        to: "const error = asBackplaneError(thrown);\n      if (error.certainty === 'indefinite') return this.#acknowledge(batch, ops);\n      // The store",
      },
    ],
  },
  {
    name: 'ops are not deduplicated',
    laws: ['applied-once'],
    mutations: [
      {
        file: 'runtime/documents/owned-document.ts',
        from: 'const seen = this.memory.peers.get(op.peer)?.counter ?? 0;',
        to: 'const seen = op.counter - 1;',
      },
    ],
  },
  {
    name: 'a snapshot forgets which ops it holds',
    laws: ['applied-once', 'nothing-unexpected', 'recovery-in-time', 'seq-without-gap'],
    mutations: [
      {
        file: 'runtime/documents/document-memory.ts',
        from: 'peers: this.peers.toEntries(nowMs) }',
        to: 'peers: [] }',
      },
    ],
  },
  {
    name: 'followers deliver over a gap',
    laws: ['seq-without-gap', 'one-order', 'applied-once'],
    mutations: [
      {
        file: 'client/open-document.ts',
        from: 'if (op.seq > last + 1) return this.#rejoinLater();',
        to: '',
      },
      {
        file: 'runtime/documents/feed.ts',
        from: 'let next = this.#waiting.get(end.seq + 1);\n    while',
        to: 'let next = this.#waiting.get(end.seq + 1) ?? [...this.#waiting.values()].sort((a, b) => a.seq - b.seq)[0];\n    if (next) this.#seams.clear();\n    while',
      },
    ],
  },
  {
    name: 'followers hear ops twice',
    laws: ['applied-once', 'nothing-unexpected', 'seq-without-gap', 'one-order'],
    mutations: [
      {
        file: 'runtime/documents/feed.ts',
        from: 'const fresh = ops.filter(({ seq }) => seq > this.#end.seq);',
        to: 'const fresh = ops.filter(({ seq }) => seq >= this.#end.seq && seq > 0); if (fresh[0]?.seq === this.#end.seq) this.#end = { seq: this.#end.seq - 1, chain: this.#end.chain };',
      },
      {
        file: 'runtime/documents/feeds.ts',
        from: 'const fresh = ops.filter((op) => op.seq > this.seq);',
        to: 'const fresh = ops.filter((op) => op.seq > 0);',
      },
      {
        file: 'client/open-document.ts',
        from: 'if (op.seq <= last) continue;',
        to: 'if (op.seq < last) continue;',
      },
    ],
  },
  {
    name: 'nobody notices that the last message was lost',
    isElusive: true,
    laws: ['seq-without-gap'],
    mutations: [
      {
        file: 'runtime/documents/feed.ts',
        from: 'if (quietMs < protocol.tailCheckMs || this.#replaying) return;',
        to: 'if (quietMs >= 0) return;',
      },
    ],
  },
  {
    name: 'a gap is never filled',
    isElusive: true,
    laws: ['seq-without-gap'],
    mutations: [
      {
        file: 'runtime/documents/feed.ts',
        from: "if (this.#waiting.size > 0) this.#replay('gap');",
        to: 'if (this.#waiting.size > 0) return;',
      },
      {
        file: 'runtime/documents/feed.ts',
        from: "if (end.seq > this.#end.seq) return this.#replay('gap');",
        to: '',
      },
    ],
  },
  {
    name: 'a dead session comes back to life',
    isElusive: true,
    laws: [
      'living-come-back',
      'no-write-below-epoch',
      'one-owner-per-epoch',
      'dead-are-gone',
      'nothing-left-behind',
      'recovery-in-time',
    ],
    mutations: [
      {
        file: 'drivers/memory/memory-session-book.ts',
        from: "if (!life || life.opening.token !== token) return { status: 'dead' };",
        to: "if (!life || life.opening.token !== token) return { status: 'renewed', previousBeat: beat - 1, boot: this.boot };",
      },
    ],
  },
  {
    name: 'a node without a session takes no new one',
    laws: ['living-come-back', 'recovery-in-time'],
    mutations: [
      {
        file: 'runtime/sessions/session-keeper.ts',
        from: 'this.#forget(held, why);\n    await this.#reopen();',
        to: 'this.#forget(held, why);',
      },
    ],
  },
  {
    name: 'nobody gives up silent nodes or sweeps what they left',
    isElusive: true,
    laws: ['dead-are-gone', 'nothing-left-behind', 'recovery-in-time'],
    mutations: [
      {
        file: 'runtime/sessions/sweeper.ts',
        from: 'await this.#fenceSilent(live);\n      await this.#sweepDead();',
        to: '',
      },
    ],
  },
  {
    name: 'a request is run as often as it arrives',
    laws: ['applied-once'],
    mutations: [
      {
        file: 'runtime/requests/responder.ts',
        from: "if (known !== 'new') return this",
        to: "if (known !== 'new' && remainingMs < 0) return this",
      },
    ],
  },
  {
    name: 'a call is sent again though it may have run',
    isElusive: true,
    laws: ['applied-once'],
    mutations: [
      {
        file: 'runtime/requests/document-router.ts',
        from: "if (request.plane === 'op') return passing",
        to: "if (request.plane !== 'control') return passing",
      },
    ],
  },
  {
    name: 'requests have no deadline',
    isElusive: true,
    laws: ['requests-end'],
    mutations: [
      {
        file: 'runtime/requests/document-router.ts',
        from: 'const timer = clock.after(request.timeoutMs, giveUp);',
        to: 'const timer = clock.after(request.timeoutMs * 4, giveUp);',
      },
      {
        file: 'runtime/requests/document-router.ts',
        from: 'const deadlineMs = clock.monotonicMs() + request.timeoutMs;',
        to: 'const deadlineMs = clock.monotonicMs() + request.timeoutMs * 4;',
      },
    ],
  },
  {
    name: 'a new session does not tell of its peers again',
    isElusive: true,
    laws: ['awareness-converges'],
    mutations: [
      {
        file: 'runtime/awareness/awareness.ts',
        from: 'reintroduce(): void {',
        to: 'reintroduce(): void {\n    if (this.#documents.size >= 0) return;',
      },
    ],
  },
  {
    name: 'awareness is not repeated',
    laws: ['awareness-converges'],
    mutations: [
      {
        file: 'runtime/awareness/awareness.ts',
        from: 'if (nowMs - local.sentMs > this.#parts.ttlMs / 2) local.dirty = true;',
        to: '',
      },
    ],
  },
  {
    name: 'a deaf node does not cure itself',
    isElusive: true,
    laws: ['seq-without-gap', 'recovery-in-time', 'requests-end', 'awareness-converges'],
    mutations: [
      {
        file: 'runtime/health/subscriber-probe.ts',
        from: 'await bus.reconnectSubscriber().catch(() => {});',
        to: '',
      },
    ],
  },
  {
    name: 'a node trusts its session beyond the deadline of its own clocks',
    isElusive: true,
    laws: ['no-answer-below-epoch', 'dead-are-gone', 'nothing-left-behind'],
    mutations: [
      {
        file: 'runtime/sessions/session-deadline.ts',
        from: 'return now.monotonicMs < this.#monotonicMs && now.wallMs < this.#wallMs;',
        to: 'return now.monotonicMs > this.#monotonicMs || this.#wallMs > 0;',
      },
    ],
  },
  {
    name: 'a session is fenced though it was renewed since it was looked at',
    laws: ['living-are-kept'],
    mutations: [
      {
        file: 'drivers/memory/memory-session-book.ts',
        from: "if (life.beat !== expectedBeat) return 'renewed';",
        to: '',
      },
    ],
  },
  {
    name: 'a document is claimed from an owner that lives',
    laws: ['living-are-kept', 'no-answer-below-epoch', 'ops-end', 'recovery-in-time'],
    mutations: [
      {
        file: 'runtime/leases/take-document.ts',
        from: 'if (seen && seen.session !== session && !(await parts.watch.isDead(seen.session))) {',
        to: 'if (seen && seen.session === null) {',
      },
    ],
  },
  {
    name: 'what a dead session has claimed is written down',
    isElusive: true,
    laws: ['dead-are-gone', 'nothing-left-behind'],
    mutations: [
      {
        file: 'drivers/memory/memory-leases.ts',
        from: "if (naming === 'living' && !sessions.lives(session)) return { status: 'dead' };",
        to: '',
      },
    ],
  },
];
