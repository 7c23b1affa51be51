import type { SessionRecord, Sessions } from '../../../src/ports/sessions.ts';

/** A live session as a driver would read it; tests say only what they are about. */
export function sessionRecord(
  id: string,
  nodeId: string,
  facts: Partial<Omit<SessionRecord, 'description' | 'vitals'>> & {
    readonly description?: Partial<SessionRecord['description']>;
    readonly vitals?: Partial<SessionRecord['vitals']>;
  } = {},
): SessionRecord {
  return {
    id,
    state: 'live',
    cause: null,
    beat: 1,
    lastBeatAgoMs: 1_000,
    expiresInMs: 29_000,
    ...facts,
    description: {
      nodeId,
      address: 'http://127.0.0.1:7420',
      pid: 4_242,
      version: '0.1.0',
      protocol: 1,
      configHash: 'c0ffee',
      startedAt: '2026-01-01T00:00:00.000Z',
      ...facts.description,
    },
    vitals: { documents: 3, connections: 2, draining: false, deaf: false, ...facts.vitals },
  };
}

/** Sessions that can only be looked at: whatever would write fails the test. */
export function readOnlySessions(records: SessionRecord[]): Sessions {
  const refuse = async (): Promise<never> => {
    throw new Error('a reading operation wrote');
  };
  return {
    open: refuse,
    renew: refuse,
    fence: refuse,
    takeSweep: refuse,
    finishSweep: refuse,
    read: async (id) => records.find((record) => record.id === id) ?? null,
    list: async () => [...records],
  };
}
