import type { EventName } from './history-event.ts';

/** What a field must be; reads as "seq must be …". */
export interface FieldRule {
  readonly wanted: string;
  readonly accepts: (value: unknown) => boolean;
}

const text: FieldRule = {
  wanted: 'text',
  accepts: (value) => typeof value === 'string' && value !== '',
};
const anyText: FieldRule = { wanted: 'text', accepts: (value) => typeof value === 'string' };
const count: FieldRule = {
  wanted: 'a whole number from 0',
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};
const position: FieldRule = {
  wanted: 'a whole number from 1',
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
};
const duration: FieldRule = {
  wanted: 'a number from 0',
  accepts: (value) => Number.isFinite(value) && (value as number) >= 0,
};
const texts: FieldRule = {
  wanted: 'a list of texts',
  accepts: (value) => Array.isArray(value) && value.every(text.accepts),
};
const present: FieldRule = { wanted: 'there', accepts: (value) => value !== undefined };
const certainty = word('definite', 'indefinite');
const states: FieldRule = {
  wanted: 'an object of {clock, state} by peer',
  accepts: (value) =>
    isRecord(value) &&
    Object.values(value).every((each) => isRecord(each) && count.accepts(each.clock)),
};

const groupsOf: FieldRule = {
  wanted: 'an object of lists of groups by connection',
  accepts: (value) => isRecord(value) && Object.values(value).every(texts.accepts),
};

function word(...words: string[]): FieldRule {
  return {
    wanted: `one of ${words.join(', ')}`,
    accepts: (value) => words.includes(value as string),
  };
}

function orAbsent({ wanted, accepts }: FieldRule): FieldRule {
  return {
    wanted: `${wanted}, null or absent`,
    accepts: (value) => value === undefined || value === null || accepts(value),
  };
}

function orNull({ wanted, accepts }: FieldRule): FieldRule {
  return { wanted: `${wanted} or null`, accepts: (value) => value === null || accepts(value) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const owned = { doc: text, session: text, epoch: position };

const frame = { workspace: text, sender: text, frame: position };
const yesOrNo: FieldRule = {
  wanted: 'true or false',
  accepts: (value) => typeof value === 'boolean',
};

/** The fields of each event. */
const shapes: Readonly<Record<EventName, Readonly<Record<string, FieldRule>>>> = {
  'op.invoke': { doc: text, opId: text },
  'op.ok': { doc: text, opId: text, seq: position },
  'op.fail': { doc: text, opId: text, code: text, certainty },
  subscribe: { subscriber: text, doc: text, after: count },
  unsubscribe: { subscriber: text, doc: text },
  deliver: { subscriber: text, doc: text, seq: position, opId: text, epoch: orAbsent(position) },
  'lease.grant': owned,
  'lease.release': owned,
  serve: { ...owned, request: orAbsent(text) },
  'store.fence': { ...owned, outcome: word('ok', 'conflict', 'unknown') },
  'store.append': {
    ...owned,
    seq: position,
    opIds: texts,
    outcome: word('ok', 'duplicate', 'fenced', 'conflict', 'unknown'),
  },
  'store.unseen': {},
  'node.up': { nodeId: text },
  'node.down': { nodeId: text },
  'session.open': { session: text, nodeId: text },
  'session.beat': { session: text, beat: count },
  'session.gone': { session: text, certainty: orAbsent(certainty), seenBeat: orAbsent(count) },
  'request.send': { id: text, timeoutMs: duration },
  'request.run': { id: text },
  'request.end': { id: text, outcome: word('ok', 'failed', 'unknown'), code: orAbsent(text) },
  'awareness.set': {
    doc: text,
    peer: text,
    clock: count,
    state: present,
    certainty: orAbsent(certainty),
  },
  'awareness.view': { doc: text, viewer: text, states },
  'registration.add': { id: text, session: text, takenFrom: orAbsent(text) },
  'registration.remove': { id: text },
  'registration.view': { viewer: text, ids: texts },
  'presence.open': { connection: text, nodeId: text },
  'presence.close': { connection: text, certainty: orAbsent(certainty) },
  'presence.change': {
    id: text,
    connection: text,
    group: text,
    change: word('join', 'leave'),
  },
  'presence.changed': { id: text, outcome: word('ok', 'failed', 'unknown') },
  'presence.view': { viewer: text, connections: groupsOf },
  'cache.change': { region: text, key: text, version: count },
  'cache.evicted': {
    region: text,
    scope: word('key', 'prefix', 'region'),
    key: anyText,
    version: count,
  },
  'cache.forgotten': {},
  'cache.ask': { id: text, nodeId: text, region: text, key: text },
  'cache.answer': { id: text, version: count },
  'fault.start': { id: text, fault: text, recoveryFrom: word('start', 'end') },
  'fault.end': { id: text },
  'relay.send': frame,
  'relay.deliver': { ...frame, receiver: text },
  'relay.end': { ...frame, outcome: word('taken', 'lost', 'unsent') },
  'relay.route': {
    connection: text,
    way: word('forwarded', 'redirected'),
    redirectedBefore: yesOrNo,
  },
  'final.op': { doc: text, seq: position, epoch: position, opId: text },
  'final.head': { doc: text, seq: count, from: orAbsent(position) },
  'final.key': {
    key: text,
    role: word('cluster', 'log', 'session', 'lease', 'other'),
    session: orAbsent(text),
    ttlMs: orNull(duration),
  },
  'final.keys': { count },
  note: { text: anyText },
};

const nameLengthShown = 80;

const shapeOf = new Map(
  Object.entries(shapes).map(([name, fields]) => [name, Object.entries(fields)] as const),
);

/** What each event says; what may have happened is said to be so, and never counted against anybody. */
const meanings: Readonly<Record<EventName, string>> = {
  'op.invoke': 'a peer submits an op; another attempt under the same opId is the same op',
  'op.ok': 'the op was acknowledged',
  'op.fail': 'the op failed; definite: it is not in the log, and never will be',
  subscribe:
    'a subscriber follows a document from behind a seq; its name is used for one life only',
  unsubscribe: 'it is not expected to hear any more',
  deliver: 'a subscriber got an op',
  'lease.grant': 'a session was confirmed as the owner',
  'lease.release': 'the owner gave it up, to a successor or to whoever wants it next',
  serve: 'a session answered as the owner, after that request was sent',
  'store.fence': 'the store was asked to raise the epoch; recorded where the store decides',
  'store.append': 'the store was asked to append ops from seq on; recorded where the store decides',
  'store.unseen': 'what the store did for a while was not recorded',
  'node.up': 'from here on the node is meant to live',
  'node.down': 'its process ended, or was ended',
  'session.open': 'a node opened a session',
  'session.beat': 'it was renewed; its beats grow',
  'session.gone':
    'it was stopped or fenced, or ran out; indefinite: it may have been; seenBeat: its last beat, as far as whoever ended it knew',
  'request.send': 'a request was sent, with its timeout',
  'request.run': 'a handler began to run it',
  'request.end': 'the caller was told; a failure has a code; unknown: the caller was lost',
  'awareness.set': 'a peer set its state, null to be gone; indefinite: it may have, or it expired',
  'awareness.view': 'what one viewer sees of a document',
  'registration.add':
    'something stands under a session, and must go with it; takenFrom: it stood under that one until then, which was not asked',
  'registration.remove': 'it was taken away',
  'registration.view': 'all the registrations one viewer sees',
  'presence.open':
    'a connection was opened on a node; it lasts until it is closed or that node goes down',
  'presence.close': 'it was closed; indefinite: its client lost it, and its node may still have it',
  'presence.change': 'a node was asked to have a connection join or leave a group',
  'presence.changed': 'the answer: done, not done and never will be, or nobody knows',
  'presence.view': 'the connections one node sees, with the groups of each',
  'cache.change': 'what a key stands for has another version; versions grow over a region',
  'cache.evicted': 'an eviction was acknowledged, asked for when the source was at that version',
  'cache.forgotten': 'the broker lost or rewound its data, and may have forgotten evictions',
  'cache.ask': 'a node was asked for the value of a key',
  'cache.answer': 'it served that version',
  'fault.start':
    'a fault begins; recovery counts from its start (another node must take over) or its end (nothing can work meanwhile)',
  'fault.end': 'it is over; one that takes no time, as a kill, ends at once',
  'relay.send': 'one end of a workspace sent a frame; its frames count 1, 2, 3 …',
  'relay.deliver': 'the application on the other end got the frame',
  'relay.end': 'the sender was told: it arrived, it may have (lost), it never will (unsent)',
  'relay.route':
    "a node passed on a frame of a browser's connection, or sent that connection elsewhere",
  'final.op': 'one op of the log, in the order of the log',
  'final.head': 'the log was read whole: it ends at seq, and begins at from, or 1',
  'final.key': 'a key in the broker, whose it is, and when it goes by itself (null: never)',
  'final.keys': 'that was all of them',
  note: 'a remark for people',
};

/** The format as a manual shows it: the name of each event, what it says, and its fields. */
export function describeEvents(): { name: string; meaning: string; fields: string }[] {
  return Object.entries(shapes).map(([name, fields]) => ({
    name,
    meaning: meanings[name as EventName],
    fields: Object.entries(fields)
      .map(([field, { wanted }]) => `${field} (${wanted})`)
      .join(', '),
  }));
}

/** What is wrong with an event, or null: a name nobody knows, or the first field that is not right. */
export function faultOf(event: Readonly<Record<string, unknown>>): string | null {
  const fields = shapeOf.get(event.ev as string);
  if (fields === undefined) {
    const name = String(JSON.stringify(event.ev)).slice(0, nameLengthShown);
    return `${name} is no event of a history`;
  }
  for (const [name, rule] of fields) {
    if (!rule.accepts(event[name])) return `${name} of ${event.ev} must be ${rule.wanted}`;
  }
  return null;
}
