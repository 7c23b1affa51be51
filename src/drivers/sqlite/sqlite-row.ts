import { BackplaneError } from '../../foundation/errors.ts';

/** A row parsed field by field: what is missing or of another type is damage, not `undefined`. */
export class SqliteRow {
  readonly #what: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(what: string, fields: Readonly<Record<string, unknown>>) {
    this.#what = what;
    this.#fields = fields;
  }

  count(name: string): number {
    const value = this.#fields[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    return this.fail(name);
  }

  number(name: string): number {
    const value = this.#fields[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : this.fail(name);
  }

  text(name: string): string {
    const value = this.#fields[name];
    return typeof value === 'string' ? value : this.fail(name);
  }

  bytes(name: string): Uint8Array<ArrayBuffer> {
    const value = this.#fields[name];
    return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer
      ? (value as Uint8Array<ArrayBuffer>)
      : this.fail(name);
  }

  fail(name: string): never {
    throw new BackplaneError('STORE_CORRUPT', `the store has a damaged ${name} for ${this.#what}`);
  }
}
