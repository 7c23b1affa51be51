import { afterEach, describe, expect, test, vi } from 'vitest';
import { BackplaneError } from '../../../src/foundation/errors.ts';
import type { LiveSource } from '../../../src/operations/watch/dashboard-source.ts';
import { emptyListing, type ListingPage } from '../../../src/operations/watch/listing-page.ts';
import { lookAtTime } from '../../../src/operations/watch/pulse-recording.ts';
import { LiveFeed } from '../../../src/tui/feeds/live-feed.ts';
import { noWish } from '../../../src/tui/state/picture.ts';
import { realClock } from '../../support/real-clock.ts';
import { someReport } from '../support/some-pictures.ts';

const started: LiveFeed[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((feed) => feed.stop()));
});

/** A cluster that is looked at every few ms, and can be out of reach. */
function world(told: Partial<LiveSource> = {}) {
  let looks = 0;
  const cluster = { isGone: false };
  const look = async () => {
    if (cluster.isGone) throw new BackplaneError('BACKPLANE_LOST', 'no answer');
    looks += 1;
    return someReport({ at: new Date(1_769_828_400_000 + looks * 1_000).toISOString() });
  };
  const feed = new LiveFeed({
    cluster: 'c',
    intervalMs: 60,
    clock: realClock,
    glance: look,
    look,
    readDirectory: async () => ({ rows: [], next: null }),
    readListing: async ({ kind }) => emptyListing(kind),
    watchDocument: () => {
      throw new Error('nobody wants a document here');
    },
    record: null,
    ...told,
  });
  started.push(feed);
  feed.start();
  const until = (holds: () => boolean) =>
    vi.waitFor(() => expect(holds()).toBe(true), { timeout: 10_000 });
  return { feed, cluster, until, looks: () => looks };
}

describe('a live feed', () => {
  test('keeps the last picture while the broker is gone, and tells when it is back', async () => {
    const { feed, cluster, until } = world();
    await until(() => feed.picture().link.state === 'live');
    cluster.isGone = true;
    await until(() => feed.picture().link.state === 'lost');
    const { link, pulse } = feed.picture();
    expect(link).toMatchObject({ since: pulse?.at, why: 'no answer' });
    cluster.isGone = false;
    await until(() => feed.picture().link.state === 'live');
    expect(feed.picture().events.map(({ text }) => text)).toEqual([
      'the broker is gone: no answer',
      'the broker is back',
    ]);
  });

  test('stands still when it is paused, goes back in time, and goes on where time is by then', async () => {
    const { feed, until, looks } = world();
    await until(() => looks() >= 4);
    feed.pause(true);
    const held = feed.picture().pulse?.at;
    const seen = looks();
    await until(() => looks() >= seen + 2);
    expect(feed.picture().pulse?.at).toBe(held);
    feed.seek({ kind: 'by', steps: -2 });
    expect(feed.picture().pulse!.at < held!).toBe(true);
    expect(feed.picture().trend.at(-1)?.at).toBe(feed.picture().pulse?.at);
    feed.seek({ kind: 'by', steps: -1_000 });
    expect(feed.picture().slider?.at).toBe(0);
    feed.pause(false);
    expect(feed.picture().slider).toBeNull();
    expect(feed.picture().pulse!.at > held!).toBe(true);
  });

  test('keeps a listing that cannot be read anew, and shows none of another kind', async () => {
    const page = { ...emptyListing('users'), total: 7 } as ListingPage;
    let isBroken = false;
    const { feed, until } = world({
      readListing: async ({ kind }) => {
        if (isBroken) throw new BackplaneError('NO_NODES', 'no node');
        return { ...page, kind } as ListingPage;
      },
    });
    const query = { selector: {}, filter: '', from: null, limit: 10 };
    const wish = (kind: 'users' | 'caches', limit = 10) =>
      feed.wish({ ...noWish, listing: { ...query, kind, limit } });
    wish('users');
    await until(() => feed.picture().listing?.total === 7);
    isBroken = true;
    wish('users', 20);
    await until(() => feed.picture().listing?.failure === 'no node');
    expect(feed.picture().listing).toMatchObject({ kind: 'users', total: 7 });
    wish('caches');
    await until(() => feed.picture().listing?.kind === 'caches');
    expect(feed.picture().listing).toMatchObject({ total: 0, failure: 'no node' });
  });

  test('goes on looking when its recording has failed, and says so once', async () => {
    const record = () => {
      throw new BackplaneError('USAGE', 'the disk is full');
    };
    const { feed, until, looks } = world({ record });
    await until(() => looks() >= 4);
    expect(feed.picture().link.state).toBe('live');
    expect(feed.picture().events.map(({ text }) => text)).toEqual(['the disk is full']);
  });
});

test('a time of day finds the last look before it, also past midnight', () => {
  const times = [
    '2026-01-30T23:59:00.000Z',
    '2026-01-31T03:11:59.000Z',
    '2026-01-31T03:13:00.000Z',
  ];
  expect(lookAtTime(times, '03:12')).toBe(1);
  expect(lookAtTime(times, '03:11:58')).toBeNull();
  expect(lookAtTime(times, '23:59')).toBe(0);
  expect(lookAtTime([], '03:12')).toBeNull();
});
