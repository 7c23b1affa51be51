import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CommandLine, commandLine } from '../../support/command-line.ts';
import { contentsOf } from '../../support/redis-contents.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { type ServedNode, serveNode } from '../../support/serve-node.ts';
import { expectRefusal, expectRefusals } from '../support/expect-refusal.ts';

// Every step starts a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let redis: RedisServer;
let node: ServedNode;
let operator: CommandLine;

beforeAll(async () => {
  redis = await startRedisServer();
  await rule('noded', '~*', '&*', '+@all');
  const url = urlOf('noded');
  node = await serveNode({ args: ['--url', url, '--port', '0', '--node-id', 'node-a'] });
  operator = commandLine({ BACKPLANE_URL: redis.url });
  await operator.run('op', 'd', '{"n":1}');
});

afterAll(async () => {
  await operator?.stop();
  await node?.stop();
  await redis?.stop();
});

const password = 'correct-horse';
const urlOf = (user: string, secret = password) =>
  `redis://${user}:${secret}@127.0.0.1:${redis.port}`;

async function rule(user: string, ...rules: string[]): Promise<CommandLine> {
  await redis.cli('ACL', 'SETUSER', user, 'reset', 'on', `>${password}`, ...rules);
  return commandLine({ BACKPLANE_URL: urlOf(user) });
}

/** Nobody joined, nothing was written, nobody listens who did not before. */
async function untouched(during: () => Promise<void>): Promise<void> {
  const before = await contentsOf(redis);
  await during();
  expect(await contentsOf(redis)).toEqual(before);
  const nodes = await operator.run('inspect', 'nodes', '--all', '-o', 'jsonl');
  expect(nodes.lines().map(({ nodeId }) => nodeId)).toEqual(['node-a']);
  await expect
    .poll(() => redis.cli('PUBSUB', 'CHANNELS', 'backplane:inbox:*'))
    .toBe(`backplane:inbox:${node.session}`);
}

const joining = [
  ['serve', '--port', '0'],
  ['lease', 'hold', 'e', '--', 'echo', 'ran'],
];
const visiting = [
  ['op', 'd', '{"n":2}'],
  ['rpc', 'doc:d', 'ping'],
  ['lease', 'acquire', 'e'],
];
const acting = [...joining, ...visiting];
const looking = [
  ['inspect', 'nodes'],
  ['inspect', 'doc', 'd'],
  ['tail', 'd'],
];

describe('a wrong password', () => {
  test('ends every command with 3, and is never repeated', async () => {
    const stranger = commandLine({ BACKPLANE_URL: urlOf('noded', 'wrong-horse') });
    await untouched(async () => {
      await expectRefusals(stranger, [...acting, ...looking], {
        exit: 3,
        code: 'BP-AUTH-FAILED',
        says: 'refused the user name or password',
        remedy: 'check the user and password of --url',
      });
      const { stderr } = await stranger.run('inspect', 'nodes', '--debug');
      expect(stderr).toContain('AUTH-FAILED');
      expect(stderr).not.toContain('wrong-horse');
    });
  });

  test('is not mistaken for one that is missing', async () => {
    const locked = await startRedisServer({ args: ['--requirepass', password] });
    const bare = commandLine({ BACKPLANE_URL: locked.url });
    const refusal = {
      exit: 3,
      code: 'BP-AUTH-FAILED',
      says: 'wants a password',
      remedy: 'check the user and password of --url',
    };
    const lines = [
      ['inspect', 'nodes'],
      ['serve', '--port', '0'],
    ];
    await expectRefusals(bare, lines, refusal);
    await locked.stop();
  });
});

describe('a command that is forbidden', () => {
  const refusal = { exit: 3, code: 'BP-PERMISSION-DENIED' };

  test('ends serve with 3 before it joins, whichever of its commands it is', async () => {
    await untouched(async () => {
      for (const verb of ['publish', 'xadd', 'hset', 'evalsha', 'subscribe']) {
        const cli = await rule('forbidden', '~*', '&*', '+@all', `-${verb}`);
        await expectRefusals(cli, [['serve', '--port', '0']], {
          ...refusal,
          says: `the user "forbidden" of 127.0.0.1:${redis.port} may not run ${verb.toUpperCase()}`,
          remedy: `ACL SETUSER forbidden +${verb}`,
        });
      }
    });
  });

  test('ends those who ask a node with 3, naming the verb and the channel', async () => {
    const cli = await rule('mute', '~*', '&*', '+@all', '-publish');
    await untouched(async () => {
      const lines = [
        ['op', 'd', '{"n":2}'],
        ['rpc', 'doc:d', 'ping'],
        ['lease', 'acquire', 'e'],
        ['lease', 'release', 'd'],
        ['node', 'drain', 'node-a'],
        ['inspect', 'doc', 'd'],
        ['tail', 'd'],
        ['inspect', 'docs'],
      ];
      await expectRefusals(cli, lines, {
        ...refusal,
        says: `may not run PUBLISH on the channel backplane:inbox:${node.session}`,
        remedy: 'ACL SETUSER mute +publish',
      });
    });
  });

  test('ends who only reads with 3 as well', async () => {
    for (const [noun, verb] of [
      ['nodes', 'ZRANGE'],
      ['leases', 'HSCAN'],
    ] as const) {
      const redress = `ACL SETUSER blind +${verb.toLowerCase()}`;
      const cli = await rule('blind', '~*', '&*', '+@all', `-${verb.toLowerCase()}`);
      await expectRefusal(cli, ['inspect', noun], {
        ...refusal,
        says: `may not run ${verb}`,
        remedy: redress,
      });
    }
  });

  test.each([
    'xadd',
    'hset',
  ])('of a node, %s, is what an op ends with; nothing is applied, and later all is well', async (verb) => {
    const log = () => redis.cli('XRANGE', 'backplane:doc:{d}:log', '-', '+');
    const before = await log();
    await redis.cli('ACL', 'SETUSER', 'noded', `-${verb}`);
    await expectRefusal(operator, ['op', 'd', '{"n":2}'], {
      ...refusal,
      says: new RegExp(`the user "noded" of \\S+ may not run ${verb.toUpperCase()}`),
      remedy: 'ACL SETUSER',
    });
    expect(await log()).toBe(before);
    await redis.cli('ACL', 'SETUSER', 'noded', `+${verb}`);
    const { code } = await operator.run('op', 'd', '{"n":3}', '-o', 'json');
    expect(code).toBe(0);
    expect(await log()).not.toBe(before);
  });
});

describe('a channel or key that is forbidden', () => {
  const refusal = { exit: 3, code: 'BP-PERMISSION-DENIED' };

  test('ends every command that listens with 3, naming the verb and the channel', async () => {
    const cli = await rule('deaf', '~*', '+@all', '&other:*');
    await untouched(async () => {
      const remedy = 'ACL SETUSER deaf &backplane:*';
      await expectRefusals(cli, [...visiting, ['inspect', 'doc', 'd'], ['tail', 'd']], {
        ...refusal,
        says: 'may not run SUBSCRIBE on the channel backplane:inbox:',
        remedy,
      });
      await expectRefusals(cli, joining, {
        ...refusal,
        says: 'may not run PUBLISH on the channel backplane:',
        remedy,
      });
    });
  });

  test('of one document ends its tail with 3', async () => {
    const cli = await rule('narrow', '~*', '+@all', '&backplane:inbox:*');
    await expectRefusal(cli, ['tail', 'd'], {
      ...refusal,
      says: 'may not run SUBSCRIBE on the channel backplane:doc:d',
      remedy: 'ACL SETUSER narrow &backplane:*',
    });
  });

  test('ends every command with 3 when it is a key', async () => {
    const cli = await rule('keyless', '&*', '+@all', '~other:*');
    await untouched(async () => {
      await expectRefusals(cli, [...acting, ...looking], {
        ...refusal,
        says: / may not run \S+ on the key backplane:\{s\}:/,
        remedy: 'ACL SETUSER keyless ~backplane:*',
      });
    });
  });
});
