import { describe, expect } from 'vitest';
import { until } from '../verification/judge.ts';
import { installations, storyOn } from './support/story-machine.ts';

const doc = 'doc-123';
/** Ten seconds without a client, as `backplane serve` starts it, and time to end. */
const idleMsMax = 20_000;

describe.concurrent.each(installations)('with %s installed', (installed) => {
  storyOn(
    installed,
    'the broker ends by itself after the last node; the next start goes on',
    async (machine) => {
      const first = await machine.serve();
      const second = await machine.serve();
      const created = await machine.op(doc, { title: 'hello' });
      const { pid } = machine.card();
      expect(machine.brokerProcesses().map((each) => each.pid)).toContain(pid);

      // One ends politely, the other has no time to.
      first.kill('SIGTERM');
      expect(await first.ended).toBe(0);
      second.kill('SIGKILL');
      await second.ended;
      await until('the broker to end', () => machine.brokerProcesses().length === 0, idleMsMax);

      const nobody = await machine.run('inspect', 'nodes');
      expect(nobody).toMatchObject({ code: 3, stdout: '' });
      expect(nobody.stderr).toContain('backplane serve');

      const again = await machine.serve();
      const state = await machine.ask('inspect', 'doc', doc);
      expect(state).toMatchObject({ seq: 1, state: { title: 'hello' } });
      const next = await machine.op(doc, { title: 'again' });
      expect(next).toMatchObject({ seq: 2, nodeId: again.nodeId });
      expect(next.epoch).toBeGreaterThan(created.epoch);
      expect(await machine.log(doc)).toMatchObject([{ seq: 1 }, { seq: 2 }]);
      expect((await machine.liveNodes()).map((node) => node.pid)).toEqual([again.pid]);
    },
  );
});
