import { BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * The lines of a byte stream, without their ends; blank lines are left out, bytes are left alone.
 * A line above the payload limit ends the stream with PAYLOAD_TOO_LARGE before it is held whole.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const keep = (part: Uint8Array) => {
    bytes += part.byteLength;
    // One byte more than the limit may be the carriage return that is not part of the line.
    if (bytes > limits.payloadBytesMax + 1) throw tooLarge(number + 1, bytes);
    parts.push(part);
  };
  const finish = (): Uint8Array => {
    const line = Buffer.concat(parts);
    parts = [];
    bytes = 0;
    number++;
    const end = line.at(-1) === carriageReturn ? line.length - 1 : line.length;
    if (end > limits.payloadBytesMax) throw tooLarge(number, end);
    return line.subarray(0, end);
  };
  for await (const chunk of chunks) {
    let rest: Uint8Array = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    for (let at = rest.indexOf(newline); at >= 0; at = rest.indexOf(newline)) {
      keep(rest.subarray(0, at));
      const line = finish();
      if (line.length > 0) yield line;
      rest = rest.subarray(at + 1);
    }
    if (rest.length > 0) keep(rest);
  }
  const last = finish();
  if (last.length > 0) yield last;
}

function tooLarge(number: number, bytes: number): BackplaneError {
  return new BackplaneError(
    'PAYLOAD_TOO_LARGE',
    `line ${number} has ${bytes} bytes or more; at most ${limits.payloadBytesMax} are allowed`,
    { facts: { line: number, bytesMax: limits.payloadBytesMax } },
  );
}
