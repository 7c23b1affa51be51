import { describe, expect } from 'vitest';
import { installations, storyOn } from './support/story-machine.ts';

const doc = 'doc-123';

describe.each(installations)('on an empty machine with %s installed', (installed) => {
  storyOn(
    installed,
    'two nodes started at the same instant are one cluster with one broker',
    async (machine) => {
      const nodes = await Promise.all([machine.serve(), machine.serve()]);
      expect(new Set(nodes.map(({ address }) => address)).size).toBe(2);
      expect(new Set(nodes.map(({ nodeId }) => nodeId)).size).toBe(2);
      const live = (await machine.liveNodes()).map(({ pid }) => pid).sort();
      expect(live).toEqual(nodes.map(({ pid }) => pid).sort());
      const brokers = () =>
        machine.brokerProcesses().filter(({ command }) => command.includes(' broker '));
      await expect.poll(() => brokers().length, { timeout: 5_000 }).toBe(1);

      const { nodeId } = await machine.op(doc, { title: 'hello' });
      const owner = nodes.find((node) => node.nodeId === nodeId);
      owner?.kill('SIGKILL');
      const next = await machine.op(doc, { title: 'again' });
      expect(next.seq).toBe(2);
      expect(next.nodeId).not.toBe(nodeId);
    },
  );
});
