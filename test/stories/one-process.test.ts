import { describe, expect } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { until } from '../verification/judge.ts';
import { storyOn } from './support/story-machine.ts';

const doc = 'doc-123';

describe('a node in local mode', () => {
  storyOn('nothing', 'serves its own peers, and says that nothing is kept', async (machine) => {
    const node = await machine.serve('--url', 'local:');
    expect(node.lines[0]).toMatchObject({ url: 'local:', store: 'memory:' });
    expect(node.lines[0]?.notices).toEqual([
      expect.stringContaining('other processes see nothing'),
      expect.stringContaining('gone when the process ends'),
    ]);
    const ann = connect({ urls: node.address });
    const bob = connect({ urls: node.address });
    try {
      const seen: unknown[] = [];
      bob.open(doc, { since: 0 }).on('op', ({ seq, payload }) => seen.push([seq, payload]));
      const handle = ann.open(doc);
      expect(await handle.send({ title: 'hello' })).toMatchObject({ seq: 1 });
      expect(await handle.send({ title: 'again' })).toMatchObject({ seq: 2 });
      await until('both ops', () => seen.length === 2);
      expect(seen).toEqual([
        [1, { title: 'hello' }],
        [2, { title: 'again' }],
      ]);
    } finally {
      await Promise.all([ann.close(), bob.close()]);
    }
    // No broker was started for it.
    expect(machine.brokerProcesses()).toEqual([]);
    node.kill('SIGTERM');
    expect(await node.ended).toBe(0);
  });

  storyOn('nothing', 'is nothing that another process could ask', async (machine) => {
    const { code, stderr } = await machine.run('inspect', 'nodes', '--url', 'local:');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: local: is inside one process.*\nhint: /);
  });
});
