import { createReadStream } from 'node:fs';
import { BackplaneError } from '../foundation/errors.ts';
import type { Terminal } from './terminal.ts';

/** A file as it is read, or standard input for `-`. */
export async function* fileInput(terminal: Terminal, file: string): AsyncGenerator<Uint8Array> {
  if (file === '-') {
    for await (const piece of terminal.input) yield piece as Uint8Array;
    return;
  }
  const stream = createReadStream(file, { highWaterMark: 1_048_576 });
  try {
    for await (const piece of stream) yield piece as Uint8Array;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BackplaneError('HISTORY_INVALID', `cannot read "${file}": ${why}`, { cause });
  }
}
