import { BackplaneError } from './errors.ts';
import {
  type DownHeader,
  type LetterHeader,
  relayLimits,
  type UpHeader,
} from './relay-protocol.ts';

export interface Letter<Header extends LetterHeader = LetterHeader> {
  readonly header: Header;
  readonly payload: Uint8Array;
}

export function encodeLetter(header: LetterHeader, payload: Uint8Array = nothing): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(2 + head.length + payload.length);
  new DataView(bytes.buffer).setUint16(0, head.length);
  bytes.set(head, 2);
  bytes.set(payload, 2 + head.length);
  return bytes;
}

/** A letter of a browser; throws REQUEST_INVALID, and never repeats what was in it. */
export function decodeUpLetter(bytes: Uint8Array): Letter<UpHeader> {
  return decode<UpHeader>(bytes, upShapes);
}

/** A letter of a daemon; throws REQUEST_INVALID. */
export function decodeDownLetter(bytes: Uint8Array): Letter<DownHeader> {
  return decode<DownHeader>(bytes, downShapes);
}

/** What a client draws at random to be known by: no control characters, nothing long. */
export function isRelayToken(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_.~-]{8,64}$/.test(value);
}

const nothing = new Uint8Array(0);

type Field = 'token' | 'token?' | 'count' | 'again';
type Shapes = Readonly<Record<string, Readonly<Record<string, Field>>>>;

const either: Shapes = {
  data: { conv: 'token', id: 'count' },
  ack: { conv: 'token', received: 'count', taken: 'count', again: 'again' },
};
const upShapes: Shapes = {
  open: { attempt: 'token', conv: 'token?', received: 'count', taken: 'count' },
  bye: { conv: 'token' },
  ...either,
};
const downShapes: Shapes = {
  opened: { attempt: 'token', conv: 'token', received: 'count', taken: 'count', window: 'count' },
  closed: { conv: 'token?' },
  ...either,
};

const checks: Readonly<Record<Field, (value: unknown) => boolean>> = {
  token: isRelayToken,
  'token?': (value) => value === null || isRelayToken(value),
  count: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  again: (value) => value === undefined || value === true,
};

function decode<Header extends LetterHeader>(bytes: Uint8Array, shapes: Shapes): Letter<Header> {
  if (bytes.length < 2) throw invalid('a letter has a header');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0);
  if (length > relayLimits.headerBytesMax) throw invalid('the header of a letter is too long');
  if (bytes.length < 2 + length) throw invalid('a letter ends within its header');
  const payload = bytes.subarray(2 + length);
  if (payload.length > relayLimits.payloadBytesMax) throw invalid('a frame is too large');
  const header = readHeader(bytes.subarray(2, 2 + length));
  const shape = typeof header.t === 'string' && Object.hasOwn(shapes, header.t) && shapes[header.t];
  if (!shape) throw invalid('no letter of this kind comes from this side');
  if (!isRelayToken(header.stream)) throw invalid('the field "stream" is no token');
  for (const [field, kind] of Object.entries(shape)) {
    if (!checks[kind](header[field])) throw invalid(`the field "${field}" is wrong`);
  }
  for (const field of Object.keys(header)) {
    const isKnown = field === 't' || field === 'stream' || Object.hasOwn(shape, field);
    if (!isKnown) throw invalid('a letter has a field that is unknown');
  }
  if (header.t !== 'data' && payload.length > 0) throw invalid('only data carries a payload');
  return { header: header as unknown as Header, payload };
}

function readHeader(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      return value as Readonly<Record<string, unknown>>;
    }
  } catch {
    // Said below, without what was in it.
  }
  throw invalid('the header of a letter is no JSON object');
}

function invalid(why: string): BackplaneError {
  return new BackplaneError('REQUEST_INVALID', why);
}
