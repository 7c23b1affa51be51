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

/** The fields of each event. */
const shapes: Readonly<Record<EventName, Readonly<Record<string, FieldRule>>>> = {
  'op.invoke': { doc: text, opId: text },
  'op.ok': { doc: text, opId: text, seq: position },
  'op.fail': { doc: text, opId: text, code: text, certainty },
  subscribe: { subscriber: text, doc: text, after: count },
  unsubscribe: { subscriber: text, doc: text },
  deliver: { subscriber: text, doc: text, seq: position, opId: text, epoch: orAbsent(position) },
  'lease.grant': owned,
  serve: owned,
  'store.fence': { ...owned, outcome: word('ok', 'conflict', 'unknown') },
  'store.append': {
    ...owned,
    seq: position,
    opIds: texts,
    outcome: word('ok', 'duplicate', 'fenced', 'conflict', 'unknown'),
  },
  'node.up': { nodeId: text },
  'node.down': { nodeId: text },
  'session.open': { session: text, nodeId: text },
  'session.gone': { session: text, certainty: orAbsent(certainty) },
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
  'registration.add': { id: text, session: text },
  'registration.remove': { id: text },
  'registration.view': { viewer: text, ids: texts },
  'fault.start': { id: text, fault: text, recoveryFrom: word('start', 'end') },
  'fault.end': { id: text },
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

const shapeOf = new Map(
  Object.entries(shapes).map(([name, fields]) => [name, Object.entries(fields)] as const),
);

/** What is wrong with an event, or null: a name nobody knows, or the first field that is not right. */
export function faultOf(event: Readonly<Record<string, unknown>>): string | null {
  const fields = shapeOf.get(event.ev as string);
  if (fields === undefined) return `"${String(event.ev)}" is no event of a history`;
  for (const [name, rule] of fields) {
    if (!rule.accepts(event[name])) return `${name} of ${event.ev} must be ${rule.wanted}`;
  }
  return null;
}
