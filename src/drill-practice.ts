import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackplaneError } from './foundation/errors.ts';
import type { BackplaneNode } from './runtime/node.ts';
import { practice } from './verification/drills/practice.ts';

/** Gives the node of a drill a cache: its source is a folder of the drill, with a file for each key. */
export function practise(node: BackplaneNode, folder: string): void {
  const { region, stalenessMs, keys } = practice;
  const cache = node.caches.create<number>({ region, stalenessMs, l2: { ttlMs: 60_000 } });
  const keyIn = (payload: Uint8Array) => {
    const key = keys.find((one) => one === Buffer.from(payload).toString());
    if (key) return key;
    throw new BackplaneError('REQUEST_INVALID', 'this is no key of the practice');
  };
  const load = async (key: string) => Number(await readFile(join(folder, key), 'utf8'));
  node.handle(practice.getMethod, async ({ payload }) => {
    return Buffer.from(String(await cache.get(keyIn(payload), load)));
  });
  node.handle(practice.evictMethod, async ({ payload }) => {
    await cache.evict(keyIn(payload));
    return new Uint8Array(0);
  });
}
