import { BackplaneError } from '../foundation/errors.ts';
import { limits } from '../foundation/limits.ts';

const controlCharacters = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/**
 * The rule of `checkDocumentName` without Node.js. A node would close the whole connection over a
 * bad name, so it is found out here. Throws NAME_INVALID.
 */
export function checkName(name: string): string {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes === 0 || bytes > limits.documentNameBytesMax) {
    const range = `1 to ${limits.documentNameBytesMax}`;
    throw new BackplaneError('NAME_INVALID', `a document name has ${range} bytes, not ${bytes}`);
  }
  if (controlCharacters.test(name) || !name.isWellFormed()) {
    throw new BackplaneError('NAME_INVALID', 'the document name holds control characters');
  }
  return name;
}
