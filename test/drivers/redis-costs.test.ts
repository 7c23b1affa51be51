import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  someDescription as description,
  someVitals as vitals,
} from '../conformance/engine-fixture.ts';
import { freshPrefix, RedisEngines } from '../support/redis-engines.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const engines = new RedisEngines();
let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});
afterEach(() => engines.closeAll());
afterAll(() => server.stop());

describe('costs', () => {
  test('a renewal is exactly one command', async () => {
    const engine = await engines.open(server.url);
    await engine.sessions.open({ id: 'session', token: 't', ttlMs: 60_000, description });
    const renew = (beat: number) =>
      engine.sessions.renew({ id: 'session', token: 't', beat, ttlMs: 60_000, vitals });
    await renew(1);
    const watch = connect(server.port, '127.0.0.1');
    let seen = '';
    watch.on('data', (data) => {
      seen += data.toString();
    });
    watch.write('MONITOR\r\n');
    await vi.waitFor(() => expect(seen).toContain('+OK'));
    for (let beat = 2; beat < 12; beat++) await renew(beat);
    await server.cli('ECHO', 'end of the watch');
    await vi.waitFor(() => expect(seen).toContain('end of the watch'));
    watch.destroy();
    const lines = seen.split('\r\n').filter((line) => line.includes(' 127.0.0.1:'));
    expect(lines.filter((line) => !line.includes('ECHO'))).toHaveLength(10);
  });

  test('a lease costs less than 40 bytes, and ten thousand are listed page by page', async () => {
    const prefix = freshPrefix();
    const engine = await engines.open(server.url, prefix, 128);
    const docs = Array.from({ length: 10_000 }, (_, i) => `doc-${String(i).padStart(8, '0')}`);
    for (let from = 0; from < docs.length; from += 500) {
      const some = docs.slice(from, from + 500);
      await Promise.all(some.map((doc) => engine.leases.claim(doc, null, '0123456789')));
    }
    const usages = Array.from({ length: 128 }, (_, i) =>
      server.cli('MEMORY', 'USAGE', `${prefix}leases:{l${i}}`),
    );
    const bytes = (await Promise.all(usages)).reduce((sum, text) => sum + Number(text), 0);
    console.log(`${(bytes / docs.length).toFixed(1)} bytes a lease`);
    expect(bytes / docs.length).toBeLessThan(40);
    const listed: string[] = [];
    for await (const page of engine.inspector.leases()) listed.push(...page.map((row) => row.doc));
    expect(listed.sort()).toEqual(docs);
  });
});
