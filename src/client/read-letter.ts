import { isBackplaneError } from '../foundation/errors.ts';

/** A letter of the other side; null when it cannot be read, as whoever wrote it is no concern of ours. */
export function readLetter<Read>(read: () => Read): Read | null {
  try {
    return read();
  } catch (error) {
    if (isBackplaneError(error, 'REQUEST_INVALID')) return null;
    throw error;
  }
}
