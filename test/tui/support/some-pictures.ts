import type { ListingPage } from '../../../src/operations/watch/listing-page.ts';
import type {
  DocumentPulse,
  NodePulseReport,
  PulseReport,
} from '../../../src/operations/watch/pulse-report.ts';
import type { ListingView, Picture } from '../../../src/tui/state/picture.ts';

/** A healthy node, but for what a test says of it. */
export function someNode(nodeId: string, told: Partial<NodePulseReport> = {}): NodePulseReport {
  return {
    nodeId,
    session: `session-of-${nodeId}`,
    state: 'live',
    address: 'http://127.0.0.1:7420',
    pid: 42,
    version: '1.2.3',
    startedAt: '2026-01-31T03:00:00.000Z',
    lastBeatAgoMs: 2_000,
    documents: 3,
    connections: 5,
    cause: null,
    configHash: 'abcd',
    protocol: 1,
    deaf: false,
    draining: false,
    duplicate: false,
    answered: true,
    answerMs: 1,
    opsPerSecond: 12.5,
    requestsPerSecond: 2,
    awarenessPerSecond: 1,
    presencePerSecond: 0.5,
    p99Ms: 4.5,
    followed: 2,
    pending: 0,
    troubles: {},
    ...told,
  };
}

export function someDocument(doc: string, told: Partial<DocumentPulse> = {}): DocumentPulse {
  const rest = { epoch: 1, seq: 10, opsPerSecond: 1, waiting: 0, usedAgoMs: 100 };
  return { doc, nodeId: 'web-1', ...rest, ...told };
}

export function someReport(told: Partial<PulseReport> = {}): PulseReport {
  const nodes = told.nodes ?? [someNode('web-1'), someNode('web-2')];
  const count = (state: string) => nodes.filter((node) => node.state === state).length;
  return {
    at: '2026-01-31T03:12:00.000Z',
    overMs: 1_000,
    totals: {
      nodes: {
        live: count('live'),
        silent: count('silent'),
        draining: count('draining'),
        deaf: count('deaf'),
        dead: count('dead'),
      },
      documents: 6,
      connections: 10,
      opsPerSecond: 25,
      requestsPerSecond: 4,
      awarenessPerSecond: 2,
      presencePerSecond: 1,
      p50Ms: 1.2,
      p99Ms: 4.5,
      brokerMs: 0.3,
    },
    nodes,
    documents: { matching: 2, rows: [someDocument('doc-1'), someDocument('doc-2')] },
    cost: { brokerCommands: 10, tookMs: 3 },
    ...told,
  };
}

export function somePicture(told: Partial<Picture> = {}): Picture {
  const pulse = told.pulse === undefined ? someReport() : told.pulse;
  return {
    cluster: 'redis://127.0.0.1:6379',
    pulse,
    trend: pulse ? [{ at: pulse.at, totals: pulse.totals }] : [],
    events: [],
    link: { state: 'live' },
    document: null,
    directory: null,
    listing: null,
    slider: null,
    isReplay: false,
    ...told,
  };
}

export const plainTheme = { colour: false, ascii: false, spoken: false } as const;
export const asciiTheme = { ...plainTheme, ascii: true } as const;

/** What was read of a listing, as it was asked for. */
export function someListing(
  told: {
    [Kind in ListingPage['kind']]: Omit<ListingPage & { kind: Kind }, 'silent'>;
  }[ListingPage['kind']],
): ListingView {
  const query = { kind: told.kind, selector: {}, filter: '', from: null, limit: 200 };
  return { silent: [], ...told, query, failure: null } as ListingView;
}
