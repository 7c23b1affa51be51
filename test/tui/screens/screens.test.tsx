import { stripVTControlCharacters } from 'node:util';
import { render } from 'ink-testing-library';
import { describe, expect, test } from 'vitest';
import { PageScreen } from '../../../src/tui/screens/page-screen.tsx';
import { TableScreen } from '../../../src/tui/screens/table-screen.tsx';
import type { Picture } from '../../../src/tui/state/picture.ts';
import { cacheView } from '../../../src/tui/views/cache-view.ts';
import { connectionsView } from '../../../src/tui/views/connections-view.ts';
import { documentView } from '../../../src/tui/views/document-view.ts';
import { documentsView } from '../../../src/tui/views/documents-view.ts';
import { eventsView } from '../../../src/tui/views/events-view.ts';
import { leasesView } from '../../../src/tui/views/leases-view.ts';
import { nodesView } from '../../../src/tui/views/nodes-view.ts';
import { overviewView } from '../../../src/tui/views/overview-view.ts';
import { relayView } from '../../../src/tui/views/relay-view.ts';
import { usersView } from '../../../src/tui/views/users-view.ts';
import { freshView, type TableView, type ViewState } from '../../../src/tui/views/view.ts';
import { cacheRegion } from '../../operations/support/healthy-evidence.ts';
import {
  asciiTheme,
  plainTheme,
  someDocument,
  someListing,
  someNode,
  somePicture,
  someReport,
} from '../support/some-pictures.ts';

const size = { columns: 80, rows: 10 };

function table(view: TableView, picture: Picture, told: Partial<ViewState> = {}, where = size) {
  const state = { ...freshView, ...told };
  const screen = (
    <TableScreen view={view} picture={picture} state={state} size={where} theme={plainTheme} />
  );
  return linesOf(render(screen).lastFrame());
}

function page(picture: Picture, told: { theme?: typeof asciiTheme; rows?: number } = {}) {
  const { theme = plainTheme, rows = 16 } = told;
  const screen = (
    <PageScreen
      view={overviewView}
      picture={picture}
      place={{ view: 'overview', subject: null }}
      state={freshView}
      size={{ columns: 80, rows }}
      theme={theme}
    />
  );
  return linesOf(render(screen).lastFrame());
}

const linesOf = (frame: string | undefined) =>
  stripVTControlCharacters(frame ?? '')
    .split('\n')
    .map((line) => line.trimEnd());

describe('a table', () => {
  test('shows each node with its state, and leaves out what does not fit', () => {
    const nodes = [someNode('web-1'), someNode('web-2', { state: 'dead', cause: 'fenced' })];
    expect(
      table(nodesView, somePicture({ pulse: someReport({ nodes }) })).slice(0, 4),
    ).toMatchInlineSnapshot(`
        [
          "Nodes (2)",
          "  NODE   STATE          DOCS  PEERS  OPS/S  REQS/S    P99    BEAT   UP  VERSION",
          "› web-1  live              3      5   12.5     2.0  4.5ms  2s ago  12m  1.2.3",
          "  web-2  dead (fenced)     3      5   12.5     2.0  4.5ms  2s ago  12m  1.2.3",
        ]
      `);
  });

  test('fills a screen of any size exactly', () => {
    for (const where of [
      { columns: 40, rows: 8 },
      { columns: 300, rows: 98 },
    ]) {
      const screen = (
        <TableScreen
          view={nodesView}
          picture={somePicture()}
          state={freshView}
          size={where}
          theme={plainTheme}
        />
      );
      const lines = stripVTControlCharacters(render(screen).lastFrame() ?? '').split('\n');
      expect(lines).toHaveLength(where.rows);
      expect(Math.max(...lines.map((line) => line.trimEnd().length))).toBeLessThanOrEqual(
        where.columns,
      );
    }
  });

  test('draws the slice around the selection, however many rows there are', () => {
    const rows = Array.from({ length: 120 }, (_, at) => someDocument(`doc-${at}`));
    const pulse = someReport({ documents: { matching: 100_000, rows } });
    const frame = table(documentsView, somePicture({ pulse }), { selected: 'doc-60', top: 55 });
    expect(frame[0]).toBe('Documents in use (120)  100,000 documents owned, the 120 used last');
    expect(frame.filter((line) => line.includes('doc-'))).toHaveLength(8);
    expect(frame.find((line) => line.startsWith('›'))).toContain('doc-60');
  });

  test('filters by any column, and with ! by none', () => {
    const nodes = [someNode('web-1'), someNode('api-1'), someNode('api-2', { state: 'deaf' })];
    const picture = somePicture({ pulse: someReport({ nodes }) });
    const names = (filter: string) =>
      table(nodesView, picture, { filter }).flatMap((line) => /\b(?:web|api)-\d/.exec(line) ?? []);
    expect(names('api')).toEqual(['api-1', 'api-2']);
    expect(names('!api')).toEqual(['web-1']);
    expect(names('DEAF')).toEqual(['api-2']);
    expect(table(nodesView, picture, { filter: 'nothing' })[1]).toBe('  nothing matches');
  });

  test('sorts by a column, what is not known last either way', () => {
    const nodes = [
      someNode('a', { opsPerSecond: 1 }),
      someNode('b', { opsPerSecond: null }),
      someNode('c', { opsPerSecond: 9 }),
    ];
    const picture = somePicture({ pulse: someReport({ nodes }) });
    const order = (isDescending: boolean) =>
      table(nodesView, picture, { sort: { column: 'ops', isDescending } })
        .slice(2, 5)
        .map((line) => line.trim().replace(/^› /, '')[0]);
    expect(order(true)).toEqual(['c', 'a', 'b']);
    expect(order(false)).toEqual(['a', 'c', 'b']);
  });

  test('shows what names from the network would do to a terminal, and does not do it', () => {
    const evil = someDocument('\u001b[2Jgone\u0007');
    const pulse = someReport({ documents: { matching: 1, rows: [evil] } });
    const frame = table(documentsView, somePicture({ pulse })).join('\n');
    expect(frame).toContain('\\e[2Jgone\\x07');
    expect(frame).not.toContain('\u0007');
  });

  test('says which documents nobody owns, and which belong to the dead', () => {
    const row = { nodeId: null, session: null, epoch: 2, seq: 5, snapshotSeq: 0 };
    const rows = [
      { ...row, doc: 'free-one', state: 'free' as const, expiresInMs: null },
      { ...row, doc: 'lost-one', state: 'orphaned' as const, expiresInMs: 0 },
    ];
    const query = { from: null, prefix: '', limit: 100 };
    const directory = { rows, next: 'lost-one', query, failure: null };
    const frame = table(leasesView, somePicture({ directory }));
    expect(frame[0]).toContain('page 1, ] for the next');
    expect(frame[2]).toMatch(/free-one +free/);
    expect(frame[3]).toMatch(/lost-one +orphaned/);
  });

  test('says of connections whose they are, how many there are, and which page this is', () => {
    const listing = someListing({
      ...{ kind: 'connections', total: 900, next: 'c-1' },
      rows: [
        {
          ...{ id: 'c-1', hub: 'main', user: 'ann', groups: ['red', 'blue'], attributes: {} },
          ...{ since: '2026-01-31T03:10:00.000Z', nodeId: 'web-1', session: 's' },
        },
      ],
    });
    const frame = table(connectionsView, somePicture({ listing }));
    expect(frame[0]).toBe('Connections (1)  900 connections  page 1, ] for the next');
    expect(frame[2]).toMatch(/^› c-1 +ann +web-1 +main +red blue +2m$/);
    expect(table(usersView, somePicture({ listing }))[1]).toBe('  looking');
  });

  test('shows a cache that goes on with old values, and a workspace without a daemon', () => {
    const caches = someListing({
      ...{ kind: 'caches', total: 1, next: null },
      rows: [cacheRegion({ state: 'cut', whenCut: 'serve', hitRate: 0.915 })],
    });
    const cache = table(cacheView, somePicture({ listing: { ...caches, silent: ['web-2'] } }));
    expect(cache[0]).toBe('Caches (1)  1 region  no answer from web-2');
    expect(cache[2]).toMatch(/users +web-1 +cut \(serve\) +91\.5 %/);
    const waiting = { workspace: 'ws-1', nodeId: null, session: null, publicUrl: null };
    const counts = { browsers: 2, queuedBytes: 4_096, dropped: 0, redirects: 0 };
    const listing = someListing({
      ...{ kind: 'workspaces', total: 1, next: null },
      rows: [{ ...waiting, ...counts, browserNodes: ['web-1'] }],
    });
    const relay = table(relayView, somePicture({ listing: { ...listing, failure: 'no node' } }));
    expect(relay[0]).toBe('Relay (1)  not read: no node');
    expect(relay[2]).toMatch(/ws-1 +nobody +2 +web-1 +4,096/);
  });

  test('shows the latest event first', () => {
    const event = { severity: 'bad' as const, nodeId: 'web-1' };
    const events = [
      { ...event, at: '2026-01-31T03:12:00.000Z', text: 'web-1 missed two heartbeats' },
      { ...event, at: '2026-01-31T03:12:05.000Z', text: 'web-1 is dead' },
    ];
    const frame = table(eventsView, somePicture({ events }));
    expect(frame[2]).toContain('03:12:05');
    expect(frame[3]).toContain('missed two heartbeats');
  });
});

describe('the overview', () => {
  test('shows pulse, nodes and events on one screen', () => {
    const nodes = [someNode('web-1'), someNode('web-2', { state: 'silent' })];
    const pulse = someReport({ nodes });
    const more = { ...pulse.totals, opsPerSecond: 50 };
    const trend = [
      { at: pulse.at, totals: pulse.totals },
      { at: pulse.at, totals: more },
    ];
    const events = [
      { at: pulse.at, severity: 'warning' as const, nodeId: 'web-2', text: 'web-2 is silent' },
    ];
    const frame = page(somePicture({ pulse, trend, events }));
    expect(frame[0]).toBe('nodes       1 live  1 silent');
    expect(frame[1]).toMatch(/^ops\/s +25\.0 +▅█ {2}max 50\.0$/);
    expect(frame.find((line) => line.includes('web-2  silent'))).toBeDefined();
    expect(frame).toContain('03:12:00  web-2 is silent');
  });

  test('draws with plain characters only when asked to', () => {
    const frame = page(somePicture(), { theme: asciiTheme }).join('\n');
    expect(frame).toMatch(/^[\x20-\x7e\n]*$/);
    expect(frame).toContain('@');
  });

  test('keeps what matters most when there is room for little', () => {
    const frame = page(somePicture(), { rows: 7 });
    expect(frame[0]).toContain('2 live');
    expect(frame[1]).toContain('ops/s');
    expect(frame[2]).toContain('p99');
  });
});

describe('a document', () => {
  test('shows owner, tail, peers and the owners before', () => {
    const lease = {
      doc: 'plan',
      nodeId: 'web-1',
      session: 's',
      epoch: 4,
      state: 'held' as const,
      expiresInMs: 9_000,
      ownerState: 'live' as const,
      ownerAddress: null,
      ownerLastBeatAgoMs: 100,
    };
    const op = {
      type: 'op' as const,
      doc: 'plan',
      seq: 7,
      epoch: 4,
      nodeId: 'web-1',
      peer: 'ana',
      opId: 'ana:1',
      at: '2026-01-31T03:12:00.000Z',
      payload: { title: 'hello' },
      encoding: 'json' as const,
      hop: 'live' as const,
    };
    const owner = { epoch: 4, nodeId: 'web-1', fromSeq: 7, since: op.at };
    const peer = {
      peer: 'ana',
      ops: 1,
      lastSeq: 7,
      lastAt: op.at,
      awareness: { x: 1 },
      isAware: true,
    };
    const document = {
      ...{ doc: 'plan', seq: 7, lease, lines: [op], failure: null },
      ...{ peers: [peer], owners: [owner] },
    };
    const draw = (pane: number) =>
      documentView
        .lines(somePicture({ document }), {
          place: { view: 'document', subject: 'plan' },
          state: { ...freshView, pane },
          size,
          theme: plainTheme,
        })
        .map(({ pieces }) => pieces.map(({ text }) => text).join(''));
    expect(draw(0)).toEqual([
      'plan  seq 7',
      'held by web-1 (live)  epoch 4  expires in 9s',
      '[tail 1]  peers 1   owners 1  ',
      '03:12:00 #7 ana {"title":"hello"}',
    ]);
    expect(draw(1)[3]).toMatch(/^ana +1 op +last 03:12:00 +\{"x":1\}$/);
    expect(draw(2)[3]).toMatch(/^epoch 4 +web-1 +since 03:12:00 {2}from seq 7$/);
  });
});
