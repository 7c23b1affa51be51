import { BackplaneError, type ErrorCode } from '../../foundation/errors.ts';
import { parsePlainJson } from '../../foundation/plain-json.ts';

/**
 * What came back from one key, read strictly: anything else than what we write there is an error
 * that names the key, never an `undefined` somewhere later.
 */
export class RedisReply {
  readonly #key: string;
  readonly #code: ErrorCode;

  constructor(key: string, code: 'FRAME_INVALID' | 'STORE_CORRUPT' = 'FRAME_INVALID') {
    this.#key = key;
    this.#code = code;
  }

  list(value: unknown): unknown[] {
    return Array.isArray(value) ? value : this.fail('a list');
  }

  text(value: unknown): string {
    if (typeof value === 'string') return value;
    return Buffer.isBuffer(value) ? value.toString() : this.fail('a text');
  }

  /** Plain bytes, not a Buffer, whose `slice` would share memory where theirs copies. */
  bytes(value: unknown): Uint8Array {
    return Buffer.isBuffer(value) ? plainBytes(value) : this.fail('bytes');
  }

  /** Numbers come as integers or as their digits. */
  count(value: unknown): number {
    const text = typeof value === 'number' ? String(value) : this.text(value);
    const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(count) ? count : this.fail('a count');
  }

  /** A duration by the server's clock, which may have been set back meanwhile. */
  durationMs(value: unknown): number {
    if (typeof value !== 'number' || !Number.isFinite(value)) return this.fail('a duration');
    return Math.max(0, value);
  }

  oneOf<T extends string>(value: unknown, ...allowed: readonly T[]): T {
    const text = this.text(value);
    return allowed.find((one) => one === text) ?? this.fail(allowed.join(' or '));
  }

  object(text: unknown): JsonFields {
    let value: unknown;
    try {
      value = parsePlainJson(this.text(text), this.#key);
    } catch (cause) {
      throw new BackplaneError(this.#code, `${this.#key} holds no JSON of ours`, { cause });
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      return this.fail('an object');
    }
    return new JsonFields(this, value as Record<string, unknown>);
  }

  fail(expected: string): never {
    throw new BackplaneError(this.#code, `${this.#key} does not hold what we write: ${expected}`);
  }
}

/** The fields of a JSON object, each with the type it must have. */
export class JsonFields {
  readonly #reply: RedisReply;
  readonly #fields: Record<string, unknown>;

  constructor(reply: RedisReply, fields: Record<string, unknown>) {
    this.#reply = reply;
    this.#fields = fields;
  }

  text(name: string): string {
    const value = this.#fields[name];
    return typeof value === 'string' ? value : this.#reply.fail(`a text "${name}"`);
  }

  textOrNull(name: string): string | null {
    return this.#fields[name] === null ? null : this.text(name);
  }

  count(name: string): number {
    const value = this.#fields[name];
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
    return this.#reply.fail(`a count "${name}"`);
  }

  flag(name: string): boolean {
    const value = this.#fields[name];
    return typeof value === 'boolean' ? value : this.#reply.fail(`a flag "${name}"`);
  }
}

export function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
