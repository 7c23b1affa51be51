import { expect } from 'vitest';
import type { StoredOp } from '../../src/ports/store.ts';
import type { Delivered, PeerLoad } from './peer-load.ts';

export interface LoggedOp {
  readonly seq: number;
  readonly epoch: number;
  readonly opId: string;
  /** Unlike for every change a peer made, so that a change under two op ids is seen. */
  readonly change?: string;
}

export function logged(op: StoredOp): LoggedOp {
  const { seq, epoch, peer, counter, payload } = op;
  const change = Buffer.from(payload).toString();
  return { seq, epoch, opId: `${peer}:${counter}`, change };
}

/** The laws over what peers were told, what they saw, and what the log holds in the end. */
export function judge(log: readonly LoggedOp[], peers: readonly PeerLoad[]): void {
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  const opIds = new Set(log.map(({ opId }) => opId));
  expect(opIds.size, 'no op is in the log twice').toBe(log.length);
  const changes = log.flatMap(({ change }) => change ?? []);
  expect(new Set(changes).size, 'no change is in the log twice').toBe(changes.length);
  for (let index = 1; index < log.length; index++) {
    const [before, after] = [log[index - 1] as LoggedOp, log[index] as LoggedOp];
    expect(after.epoch, `the epoch at seq ${after.seq}`).toBeGreaterThanOrEqual(before.epoch);
  }
  for (const peer of peers) {
    const lost = peer.acked.filter(({ opId, seq }) => log[seq - 1]?.opId !== opId);
    expect(lost, 'acknowledged ops that are not in the log where they were said to be').toEqual([]);
    expect(peer.failed, 'sends that failed').toEqual([]);
    expect(peer.delivered.map(short), 'what a subscriber saw').toEqual(log.map(short));
  }
}

function short({ seq, opId }: Delivered | LoggedOp): string {
  return `${seq} ${opId}`;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Waits until the condition holds; fails with what it was waiting for. */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      const awaited = typeof what === 'string' ? what : what();
      throw new Error(`waited ${timeoutMs} ms for ${awaited}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
