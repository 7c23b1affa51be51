import { BackplaneError } from './errors.ts';
import { limits } from './limits.ts';

const poisonous = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * JSON from the network as plain data: bounded in size and depth, and free of the keys that
 * pollute prototypes. Throws REQUEST_INVALID and says where.
 */
export function parsePlainJson(text: string, what = 'the JSON'): unknown {
  if (text.length > limits.frameBytesMax) {
    throw new BackplaneError('PAYLOAD_TOO_LARGE', `${what} has ${text.length} characters`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BackplaneError('REQUEST_INVALID', `${what} is not valid JSON`, { cause });
  }
  checkPlain(value, what, 0);
  return value;
}

function checkPlain(value: unknown, what: string, depth: number): void {
  if (value === null || typeof value !== 'object') return;
  if (depth >= limits.jsonDepthMax) {
    throw new BackplaneError(
      'REQUEST_INVALID',
      `${what} is nested deeper than ${limits.jsonDepthMax}`,
    );
  }
  if (Array.isArray(value)) {
    for (const item of value) checkPlain(item, what, depth + 1);
    return;
  }
  for (const key of Object.keys(value)) {
    if (poisonous.has(key)) {
      throw new BackplaneError('REQUEST_INVALID', `${what} has the forbidden key "${key}"`);
    }
    checkPlain((value as Record<string, unknown>)[key], what, depth + 1);
  }
}
