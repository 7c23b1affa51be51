import { BackplaneError } from '../foundation/errors.ts';

/** Readers of option values. Each throws USAGE with what it wanted. */
export function anyText(text: string): string {
  return text;
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new BackplaneError('USAGE', `"${text}" is not a whole number`);
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new BackplaneError('USAGE', `"${text}" is not a port`, {
    remedy: 'write a number from 0 to 65535; 0 takes any free port',
  });
}

/** `oneOf('log', 'json')` reads one of these words. */
export function oneOf<Word extends string>(...words: Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((each) => each === text);
    if (word !== undefined) return word;
    throw new BackplaneError('USAGE', `"${text}" is none of ${words.join(', ')}`);
  };
}
