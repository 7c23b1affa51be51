import { describe, expect, test } from 'vitest';
import { describeLease } from '../../src/operations/inspect/describe-lease.ts';
import { listChannels } from '../../src/operations/inspect/list-channels.ts';
import { type LeasesQuery, listLeases } from '../../src/operations/inspect/list-leases.ts';
import type { Inspector, LeaseRow } from '../../src/ports/inspector.ts';
import type { Leases } from '../../src/ports/leases.ts';
import { documentChannel, inboxChannel } from '../../src/runtime/channels.ts';
import { collect } from './support/collect.ts';
import { readOnlySessions, sessionRecord } from './support/session-record.ts';

const sessions = readOnlySessions([
  sessionRecord('s1', 'node-a'),
  sessionRecord('s2', 'node-b', { state: 'dead', cause: 'expired', expiresInMs: 0 }),
]);

const rows: LeaseRow[] = [
  { doc: 'doc-1', session: 's1', epoch: 4, state: 'held' },
  { doc: 'doc-2', session: 's1', epoch: 2, state: 'claimed' },
  { doc: 'doc-3', session: 's2', epoch: 9, state: 'held' },
  { doc: 'note', session: 'forgotten', epoch: 1, state: 'handed' },
];

function inspectorOf(pages: LeaseRow[][], channels: string[] = []): Inspector {
  return {
    async *leases() {
      yield* pages;
    },
    async *channels() {
      yield channels.map((channel) => ({ channel, receivers: 1 }));
    },
    ping: async () => 1,
  };
}

async function docsOf(query: LeasesQuery): Promise<string[]> {
  const docs: string[] = [];
  const pages = listLeases({ inspector: inspectorOf([rows]), sessions }, query);
  for await (const page of pages) docs.push(...page.map((lease) => lease.doc));
  return docs;
}

describe('listing leases', () => {
  test('joins each with its owner, and calls it orphaned when that is dead or forgotten', async () => {
    const pages = await collect(
      listLeases({ inspector: inspectorOf([rows.slice(0, 2), rows.slice(2)]), sessions }),
    );
    expect(pages.flat()).toEqual([
      {
        doc: 'doc-1',
        nodeId: 'node-a',
        session: 's1',
        epoch: 4,
        state: 'held',
        expiresInMs: 29_000,
      },
      {
        doc: 'doc-2',
        nodeId: 'node-a',
        session: 's1',
        epoch: 2,
        state: 'claimed',
        expiresInMs: 29_000,
      },
      {
        doc: 'doc-3',
        nodeId: 'node-b',
        session: 's2',
        epoch: 9,
        state: 'orphaned',
        expiresInMs: 0,
      },
      {
        doc: 'note',
        nodeId: null,
        session: 'forgotten',
        epoch: 1,
        state: 'orphaned',
        expiresInMs: 0,
      },
    ]);
  });

  test('selects by node, by session, by state and by the pattern of the document', async () => {
    expect(await docsOf({ node: 'node-b' })).toEqual(['doc-3']);
    expect(await docsOf({ node: 's1' })).toEqual(['doc-1', 'doc-2']);
    expect(await docsOf({ states: ['orphaned'] })).toEqual(['doc-3', 'note']);
    expect(await docsOf({ doc: 'doc-?' })).toEqual(['doc-1', 'doc-2', 'doc-3']);
  });

  test('names the owner of a lease whose session opened after the listing began', async () => {
    const late = { ...sessions, list: async () => [] };
    const pages = listLeases({ inspector: inspectorOf([rows]), sessions: late });
    expect((await collect(pages)).flat()[0]?.nodeId).toBe('node-a');
  });
});

describe('describing a lease', () => {
  const looking = (record: Awaited<ReturnType<Leases['read']>>) => {
    const refuse = async (): Promise<never> => {
      throw new Error('looking wrote');
    };
    const leases: Leases = {
      read: async () => record,
      claim: refuse,
      confirm: refuse,
      release: refuse,
      sweep: refuse,
    };
    return { leases, sessions };
  };

  test('says who owns it and how that owner is', async () => {
    const lease = await describeLease(looking({ session: 's1', epoch: 4, state: 'held' }), 'doc-1');
    expect(lease).toMatchObject({ nodeId: 'node-a', epoch: 4, state: 'held', ownerState: 'live' });
  });

  test('fails with LEASE_UNKNOWN when nobody does', async () => {
    const nobody = describeLease(looking(null), 'doc-1');
    await expect(nobody).rejects.toMatchObject({ code: 'LEASE_UNKNOWN' });
  });
});

describe('listing channels', () => {
  test('says of each what it is for and whose it is', async () => {
    const channels = [inboxChannel('s1'), inboxChannel('visitor'), documentChannel('a/b'), 'odd'];
    const pages = listChannels({ inspector: inspectorOf([], channels), sessions });
    expect((await collect(pages)).flat()).toEqual([
      {
        channel: channels[0],
        kind: 'inbox',
        doc: null,
        nodeId: 'node-a',
        session: 's1',
        receivers: 1,
      },
      {
        channel: channels[1],
        kind: 'inbox',
        doc: null,
        nodeId: null,
        session: 'visitor',
        receivers: 1,
      },
      { channel: channels[2], kind: 'doc', doc: 'a/b', nodeId: null, session: null, receivers: 1 },
      { channel: 'odd', kind: 'other', doc: null, nodeId: null, session: null, receivers: 1 },
    ]);
  });
});
