import * as v from 'valibot';
import { BackplaneError } from '../foundation/errors.ts';
import { checkDocumentName, checkPeer } from '../foundation/identifiers.ts';
import { peerLimits } from '../foundation/peer-protocol.ts';
import { parsePlainJson } from '../foundation/plain-json.ts';

const counter = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const base64 = v.pipe(
  v.string(),
  v.check((text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text), 'not base64'),
);
/** In JSON, what is there is never undefined, so exactly one of the two must be something. */
const payload = { payload: v.optional(v.unknown()), payloadBase64: v.optional(base64) };
const doc = v.string();

const schema = v.variant('type', [
  v.strictObject({
    type: v.literal('hello'),
    peerProtocol: natural,
    hub: v.optional(v.string()),
    user: v.optional(v.nullable(v.string())),
    groups: v.optional(v.array(v.string())),
    attributes: v.optional(v.record(v.string(), v.string())),
  }),
  v.strictObject({
    type: v.literal('join'),
    doc,
    since: v.optional(v.nullable(natural)),
    state: v.optional(v.boolean()),
  }),
  v.strictObject({ type: v.literal('leave'), doc }),
  v.strictObject({
    type: v.literal('op'),
    doc,
    peer: v.string(),
    counter,
    ref: natural,
    ...payload,
  }),
  v.strictObject({ type: v.literal('awareness'), doc, peer: v.string(), state: v.unknown() }),
  v.strictObject({
    type: v.literal('rpc'),
    doc,
    method: v.pipe(v.string(), v.minLength(1), v.maxLength(peerLimits.methodLengthMax)),
    ref: natural,
    ...payload,
  }),
  v.strictObject({
    type: v.literal('result'),
    ref: natural,
    error: v.optional(
      v.strictObject({
        code: v.pipe(v.string(), v.maxLength(64)),
        message: v.pipe(v.string(), v.maxLength(1_000)),
      }),
    ),
    ...payload,
  }),
  v.strictObject({ type: v.literal('ping') }),
]);

/** A message as the schema lets it through; names are checked, payloads are not looked at. */
export type ReadMessage = v.InferOutput<typeof schema>;

/** Throws REQUEST_INVALID or NAME_INVALID, saying which field is wrong; never repeats its value. */
export function readClientMessage(text: string): ReadMessage {
  const result = v.safeParse(schema, parsePlainJson(text, 'the message'), { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const field = v.getDotPath(issue) ?? 'message';
    const expected = issue.expected === 'never' ? 'is unknown' : `should be ${issue.expected}`;
    throw new BackplaneError('REQUEST_INVALID', `the field "${field.slice(0, 32)}" ${expected}`);
  }
  const message = result.output;
  if ('doc' in message) checkDocumentName(message.doc);
  if ('peer' in message) checkPeer(message.peer);
  const carries = message.type === 'op' || message.type === 'rpc' || message.type === 'result';
  if (carries && !(message.type === 'result' && message.error)) {
    if ((message.payload === undefined) === (message.payloadBase64 === undefined)) {
      throw new BackplaneError('REQUEST_INVALID', 'give either payload or payloadBase64');
    }
  }
  return message;
}

/** The bytes that become the op: JSON as its shortest text, or what the base64 says. */
export function payloadBytes(message: { payload?: unknown; payloadBase64?: string }): Uint8Array {
  const { payload: value, payloadBase64 } = message;
  if (payloadBase64 !== undefined) return Buffer.from(payloadBase64, 'base64');
  return Buffer.from(JSON.stringify(value));
}
