import { stripVTControlCharacters } from 'node:util';
import { render } from 'ink-testing-library';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ClusterAction } from '../../../src/operations/act/cluster-action.ts';
import { App } from '../../../src/tui/app.tsx';
import { Dashboard } from '../../../src/tui/dashboard.ts';
import type { Picture } from '../../../src/tui/state/picture.ts';
import { ScriptedFeed } from '../support/scripted-feed.ts';
import {
  plainTheme,
  someDocument,
  someListing,
  someNode,
  somePicture,
  someReport,
} from '../support/some-pictures.ts';

const enter = '\r';
const esc = '\u001b';
const down = '\u001b[B';
const left = '\u001b[D';

const unmounts: (() => void)[] = [];
afterEach(() => {
  for (const unmount of unmounts.splice(0)) unmount();
});

interface Opened {
  readonly feed: ScriptedFeed;
  readonly acted: ClusterAction[];
  readonly quit: () => boolean;
  readonly suspended: () => number;
  frame(): string;
  /** Types, and waits for a screen that shows this. */
  press(keys: string, shows: string | RegExp): Promise<void>;
}

async function open(
  told: { picture?: Partial<Picture>; isReadOnly?: boolean; isSpoken?: boolean } = {},
): Promise<Opened> {
  const { isReadOnly = false, isSpoken = false } = told;
  const feed = new ScriptedFeed(somePicture(told.picture));
  const acted: ClusterAction[] = [];
  let hasQuit = false;
  let suspended = 0;
  const act = async (action: ClusterAction) => {
    acted.push(action);
    return `${action.kind} is done`;
  };
  const dashboard = new Dashboard({
    feed,
    act: isReadOnly ? null : act,
    isSpoken,
    quit: () => {
      hasQuit = true;
    },
    suspend: () => {
      suspended += 1;
    },
  });
  const app = render(
    <App
      dashboard={dashboard}
      theme={{ ...plainTheme, spoken: isSpoken }}
      stopProcess={async () => {}}
      onSuspendable={() => {}}
    />,
  );
  unmounts.push(app.unmount);
  dashboard.start();
  const frame = () => stripVTControlCharacters(app.lastFrame() ?? '');
  const press = async (keys: string, shows: string | RegExp) => {
    app.stdin.write(keys);
    await vi.waitFor(() => expect(frame()).toMatch(shows), { timeout: 5_000 });
  };
  // Keys before the application listens are lost.
  await vi.waitFor(() => expect(app.stdin.listenerCount('readable')).toBeGreaterThan(0));
  return { feed, acted, frame, press, quit: () => hasQuit, suspended: () => suspended };
}

describe('the keys', () => {
  test(': goes to a view by name, alias or beginning, and esc comes back', async () => {
    const { press } = await open();
    await press(':', /^:_/m);
    await press(`no${enter}`, 'Nodes (2)');
    await press(`:ev${enter}`, 'Events (0)');
    await press(esc, 'Nodes (2)');
    await press(esc, /^ops\/s/m);
    await press(`:nowhere${enter}`, 'there is no view "nowhere"');
  });

  test('numbers go to the views in their order', async () => {
    const { press } = await open();
    await press('2', 'Nodes (2)');
    await press('3', 'Documents in use (2)');
    await press('9', 'Events (0)');
  });

  test('enter on a user shows their connections, and x closes one after a confirmation', async () => {
    const { feed, press, acted } = await open();
    const user = { user: 'ann', connections: 1, hubs: ['main'], nodes: ['web-1'] };
    feed.show(
      somePicture({ listing: someListing({ kind: 'users', rows: [user], total: 1, next: null }) }),
    );
    await press(`:users${enter}`, /› ann/);
    await press(enter, 'Connections');
    expect(feed.wishes.at(-1)?.listing).toMatchObject({
      ...{ kind: 'connections', selector: { user: 'ann' }, from: null },
    });
    const connection = { id: 'c-1', hub: 'main', user: 'ann', groups: [], attributes: {} };
    const where = { since: '2026-01-31T03:10:00.000Z', nodeId: 'web-1', session: 's' };
    const rows = [{ ...connection, ...where }];
    const listing = someListing({ kind: 'connections', rows, total: 1, next: null });
    feed.show(somePicture({ listing }));
    await press('x', 'close c-1');
    await press(enter, 'Close the connection c-1 of ann on web-1?');
    await press('y', /./);
    await vi.waitFor(() => expect(acted).toEqual([{ kind: 'kick', connection: 'c-1' }]));
  });

  test('] pressed twice before the page has come turns one page', async () => {
    const { feed, press } = await open();
    const listing = someListing({ kind: 'users', rows: [], total: 9, next: 'bob' });
    feed.show(somePicture({ listing }));
    await press(`:users${enter}`, '9 users');
    await press(']]', 'page 2');
    expect(feed.wishes.at(-1)?.listing?.from).toBe('bob');
    await press('[', 'page 1');
  });

  test('/ filters while it is typed, and esc forgets it', async () => {
    const { press, frame } = await open();
    await press('2', 'Nodes (2)');
    await press('/', /^\/_/m);
    await press('web-2', 'Nodes (1)');
    expect(frame()).not.toContain('web-1');
    await press(enter, '? help');
    await press(esc, 'Nodes (2)');
  });

  test('a filter of documents is answered by the nodes', async () => {
    const { feed, press } = await open();
    await press('3', 'Documents in use');
    await press(`/ord${enter}`, '/ord');
    expect(feed.wishes.at(-1)?.documents).toEqual({ contains: 'ord', limit: 120 });
    await press('2', 'Nodes (2)');
    expect(feed.wishes.at(-1)?.documents).toBeNull();
  });

  test('j, k, g, G and arrows move, and the selection stays on its row', async () => {
    const nodes = ['a', 'b', 'c', 'd'].map((name) => someNode(name));
    const { feed, press, frame } = await open({ picture: { pulse: someReport({ nodes }) } });
    await press('2', /› a/);
    await press('jj', /› c/);
    await press('k', /› b/);
    await press(down, /› c/);
    await press('G', /› d/);
    await press('g', /› a/);
    await press('j', /› b/);
    const fewer = [someNode('0'), ...nodes.slice(1)];
    feed.show(somePicture({ pulse: someReport({ nodes: fewer }) }));
    await vi.waitFor(() => expect(frame()).toMatch(/ {2}0 .*\n› b/));
  });

  test('s sorts by the next column, S turns it round', async () => {
    const { press } = await open();
    await press('2', 'Nodes (2)');
    await press('s', /NODE▲/);
    await press('S', /NODE▼[\s\S]*› web-2/);
    await press('s', /STATE▲/);
  });

  test('enter opens a document, which the feed is asked for', async () => {
    const { feed, press } = await open();
    await press('3', 'Documents in use');
    await press(enter, 'reading the document');
    expect(feed.wishes.at(-1)?.doc).toBe('doc-1');
    await press(esc, 'Documents in use');
    await press(`:doc some other${enter}`, 'reading the document');
    expect(feed.wishes.at(-1)?.doc).toBe('some other');
  });

  test('? shows the keys, and any key closes it', async () => {
    const { press } = await open();
    await press('?', 'go to a view');
    await press('x', /^ops\/s/m);
  });

  test('q and ctrl-c quit, ctrl-z suspends', async () => {
    const { press, quit, suspended } = await open();
    await press('\u001a', /^ops\/s/m);
    await vi.waitFor(() => expect(suspended()).toBe(1));
    expect(quit()).toBe(false);
    await press('\u0003', /^ops\/s/m);
    await vi.waitFor(() => expect(quit()).toBe(true));
  });
});

describe('an action', () => {
  test('says what will happen, and happens only after a yes', async () => {
    const { acted, press } = await open();
    await press('2', /› web-1/);
    await press('x', 'drain web-1');
    await press(enter, 'It hands its 3 documents to the other nodes');
    expect(acted).toEqual([]);
    await press('n', 'nothing was done');
    expect(acted).toEqual([]);
    await press('x', 'drain web-1');
    await press(enter, 'Are you sure?');
    await press('y', 'drain is done');
    expect(acted).toEqual([{ kind: 'drain', session: 'session-of-web-1', nodeId: 'web-1' }]);
  });

  test('moves a document to a node that is chosen', async () => {
    const picture = {
      pulse: someReport({ documents: { matching: 1, rows: [someDocument('plan')] } }),
    };
    const { acted, press } = await open({ picture });
    await press('3', /› plan/);
    await press('x', 'move plan');
    await press('1', 'to web-2');
    await press(enter, 'Move plan from web-1 to web-2');
    await press('y', 'move is done');
    expect(acted[0]).toMatchObject({ kind: 'move', doc: 'plan', nodeId: 'web-2' });
  });

  test('warns that a node is alive before it is evicted', async () => {
    const { press } = await open();
    await press('2', /› web-1/);
    await press('x', 'evict web-1 (it is alive)');
    await press('2', 'web-1 is alive. Evict it all the same?');
  });

  test('is refused with --read-only, in a replay, and while the broker is gone', async () => {
    const readOnly = await open({ isReadOnly: true });
    await readOnly.press('2', /› web-1/);
    expect(readOnly.frame()).not.toContain('x act');
    await readOnly.press('x', 'only looks');
    const replay = await open({ picture: { isReplay: true } });
    await replay.press('2', /› web-1/);
    await replay.press('x', 'nothing can be done to a recording');
    const lost = { state: 'lost' as const, since: null, why: 'gone' };
    const gone = await open({ picture: { link: lost } });
    await gone.press('2', /› web-1/);
    await gone.press('x', 'while the broker is gone');
  });
});

describe('time', () => {
  test('p pauses; left and : move through what was', async () => {
    const { feed, press } = await open();
    await press('p', 'PAUSED 03:12:00');
    expect(feed.isPaused).toBe(true);
    const slider = {
      at: 4,
      length: 10,
      firstAt: '2026-01-31T03:11:00.000Z',
      lastAt: '2026-01-31T03:13:00.000Z',
      isPlaying: false,
    };
    feed.show(somePicture({ slider }));
    await press(left, /03:11:00 .*●.* 03:13:00 {2}5\/10, 1m before the end/);
    expect(feed.seeks).toEqual([{ kind: 'by', steps: -1 }]);
    await press(`:3:12${enter}`, 'PAUSED');
    expect(feed.seeks.at(-1)).toEqual({ kind: 'time', time: '03:12' });
  });

  test('a broker that is gone is said with since when, and the picture stays', async () => {
    const { feed, frame } = await open();
    const since = '2026-01-31T03:10:00.000Z';
    feed.show(somePicture({ link: { state: 'lost', since, why: 'no answer' } }));
    await vi.waitFor(() => expect(frame()).toContain('BROKER GONE since 03:10:00'));
    expect(frame()).toContain('2 live');
  });
});

describe('for somebody who listens', () => {
  test('the screen is sentences, and is quiet until something happens', async () => {
    const { feed, frame, press } = await open({ isSpoken: true });
    await press('2', 'selected: node web-1, state live, docs 3, peers 5');
    const busy = [someNode('web-1', { documents: 99 }), someNode('web-2')];
    feed.show(somePicture({ pulse: someReport({ nodes: busy }) }));
    expect(frame()).not.toContain('docs 99');
    const event = { at: '', severity: 'bad' as const, nodeId: null, text: 'it broke' };
    feed.show(somePicture({ pulse: someReport({ nodes: busy }), events: [event] }));
    await vi.waitFor(() => expect(frame()).toContain('docs 99'));
    expect(frame()).not.toMatch(/[▁█›─]/);
  });
});
