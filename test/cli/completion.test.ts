import { describe, expect, it } from 'vitest';
import { candidatesFor } from '../../src/cli/completion/candidates.ts';
import { liveNames } from '../../src/cli/completion/live-names.ts';
import { loadCommands } from '../../src/cli/load-commands.ts';
import type { Engine } from '../../src/ports/engine.ts';
import { idleContext, runInProcess } from './support/cli-world.ts';

const commands = await loadCommands(idleContext());

describe('completion', () => {
  it.each([
    [['ins'], ['inspect']],
    [
      ['inspect', 'no'],
      ['nodes', 'node'],
    ],
    [
      ['--url', 'redis://x', 'inspect', 'nodes', '-o', 'j'],
      ['json', 'jsonl'],
    ],
    [['inspect', 'nodes', '--bro'], ['--broker-port']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['inspect', 'nodes', '--url', ''], []],
    [['no-such', ''], commands.map(({ name }) => name)],
    [[], commands.map(({ name }) => name)],
  ])('after %j offers %j', (words, expected) => {
    expect(candidatesFor(commands, words)).toEqual({ words: expected, live: null });
  });

  it.each([
    [['inspect', 'lease', 'do'], 'doc'],
    [['tail', 'a', 'b', ''], 'doc'],
    [['inspect', 'node', ''], 'node'],
    [['lease', 'move', 'doc', '--data-dir', ''], 'file'],
  ])('after %j asks for the name of a %s', (words, live) => {
    expect(candidatesFor(commands, words)).toEqual({ words: [], live });
  });

  it('never offers what it hides', () => {
    expect(candidatesFor(commands, ['__']).words).toEqual([]);
  });

  it('answers nothing, and no error, where no cluster is', async () => {
    const { code, stdout, stderr } = await runInProcess(['__complete', '--', 'tail', '']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('offers names of the cluster, without those that a shell would take apart', async () => {
    const docs = ['doc-1', 'doc-2', 'doc 3', 'doc-\u001b[31m', 'other', 'doc-1'];
    const engine = {
      inspector: {
        async *leases() {
          yield docs.map((doc) => ({ doc, session: 's', epoch: 1, state: 'held' }));
        },
      },
      sessions: { list: async () => [{ description: { nodeId: 'doc-node' } }] },
    } as unknown as Engine;
    expect(await liveNames(Promise.resolve(engine), 'doc', 'doc')).toEqual(['doc-1', 'doc-2']);
    expect(await liveNames(Promise.resolve(engine), 'node', 'doc')).toEqual(['doc-node']);
  });
});
