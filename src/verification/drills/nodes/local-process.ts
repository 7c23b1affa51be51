import { networkInterfaces } from 'node:os';
import type { SessionRecord } from '../../../ports/sessions.ts';

/** A pid means something on its own machine only. */
export function localProcess(living: readonly SessionRecord[], nodeId: string): number | null {
  const found = living.find(({ description }) => description.nodeId === nodeId)?.description;
  if (!found?.address) return null;
  const host = new URL(found.address).hostname.replace(/^\[|\]$/g, '');
  const ours = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return host === 'localhost' || ours.some(({ address }) => address === host) ? found.pid : null;
}
