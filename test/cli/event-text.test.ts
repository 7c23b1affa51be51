import { describe, expect, it } from 'vitest';
import { eventLines, type ServeEvent } from '../../src/cli/output/serve-events.ts';
import { renderLine } from '../../src/cli/output/styled-text.ts';

function shown(event: ServeEvent): string[] {
  return eventLines(event).map((line) => renderLine(line, false));
}

const at = '2026-01-02T03:04:05.678Z';
const event = (name: string, facts: Record<string, unknown>): ServeEvent => {
  return { type: 'event', name, level: 'warn', at, facts };
};

describe('what serve says to people', () => {
  it('begins with where everything is, one thing a line', () => {
    const ready: ServeEvent = {
      type: 'ready',
      nodeId: 'web-1',
      session: 's1',
      url: 'redis://127.0.0.1:7421',
      address: 'http://127.0.0.1:7420',
      pid: 4_711,
      store: 'sqlite:/home/me/documents.sqlite',
      notices: [],
    };
    expect(shown(ready)).toEqual([
      'web-1 is ready at http://127.0.0.1:7420',
      '  broker   redis://127.0.0.1:7421',
      '  store    sqlite:/home/me/documents.sqlite',
      '  process  4711',
    ]);
    expect(shown({ ...ready, address: null })[0]).toBe('web-1 is ready');
  });

  it('goes on with sentences that have their time', () => {
    const namesake = { nodeId: 'web', session: 's', pid: 7, address: 'http://127.0.0.1:7420' };
    expect(shown(event('node.namesake', namesake))).toEqual([
      '03:04:05  another node is called web too (process 7 at http://127.0.0.1:7420): both work, --node-id tells them apart',
    ]);
    expect(shown(event('session.swept', { session: 's', leases: 1 }))).toEqual([
      '03:04:05  cleared up after session s: 1 lease',
    ]);
    expect(shown(event('session.swept', { session: 's', leases: 0 }))).toEqual([]);
    expect(shown(event('gateway.listening', { address: 'http://127.0.0.1:7420' }))).toEqual([]);
  });

  it('tells an event that it has no sentence for by its facts, and harmlessly', () => {
    const line = event('document.lost', { doc: 'a\u001b[2J', epoch: 3 });
    expect(shown(line)).toEqual(['03:04:05  document.lost doc=a\\e[2J epoch=3']);
  });
});
