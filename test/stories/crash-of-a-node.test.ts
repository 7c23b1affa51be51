import { expect, test } from 'vitest';
import { createNode } from '../../src/index.ts';

test('a node in an application that ends as if killed closes what it stands on', async () => {
  const node = await createNode({ url: 'local:', nodeId: 'app' });
  const op = { peer: 'peer', counter: 1, payload: Buffer.from('1') };
  await node.submit('doc', op);
  await expect(node.stop('crash')).resolves.toBeUndefined();
  await expect(node.submit('doc', { ...op, counter: 2 })).rejects.toMatchObject({ code: 'CLOSED' });
  await expect(node.stop()).resolves.toBeUndefined();
});
