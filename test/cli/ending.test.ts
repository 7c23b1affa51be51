import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import type { Doors } from '../../src/cli/context.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { BackplaneError } from '../../src/foundation/errors.ts';
import type { Engine } from '../../src/ports/engine.ts';
import type { Visitor } from '../../src/runtime/visitor.ts';
import { runBackplane } from '../support/run-backplane.ts';
import { projectRoot } from '../support/source-files.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { Capture, cliWorld, EventfulProcess, quietProcess } from './support/cli-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'backplane-ending-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A cluster whose channels never end, and whose visitor never gets an answer. */
class EndlessCluster {
  rows = 0;
  enginesOpen = 0;
  asked = false;

  readonly doors: Partial<Doors> = {
    openEngine: async () => {
      this.enginesOpen += 1;
      return {
        inspector: { channels: () => this.#channels() },
        sessions: { list: async () => [] },
        close: async () => {
          this.enginesOpen -= 1;
        },
      } as unknown as Engine;
    },
    openVisitor: async () =>
      ({
        submit: () => {
          this.asked = true;
          return new Promise(() => {});
        },
        close: async () => {},
      }) as unknown as Visitor,
  };

  async *#channels() {
    for (;;) {
      yield [{ channel: `channel-${this.rows}`, receivers: 1 }];
      this.rows += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Runs a command line that can be sent signals. */
function started(args: readonly string[], cluster: EndlessCluster, out: Writable = new Capture()) {
  const err = new Capture();
  const happening = new EventfulProcess();
  const code = runCli(args, cliWorld({ out, err, doors: cluster.doors, args }), happening);
  return { code, err, happening };
}

describe('a reader that goes away', () => {
  it('ends a command that only looks, quietly and with 0', async () => {
    const cluster = new EndlessCluster();
    const run = started(['inspect', 'channels', '-o', 'jsonl'], cluster, brokenPipe());
    expect(await run.code).toBe(0);
    expect(run.err.text).toBe('');
    expect(cluster.enginesOpen).toBe(0);
  });

  it('changes nothing about what a command that acts answers', async () => {
    const cluster = new EndlessCluster();
    const doors: Partial<Doors> = {
      ...cluster.doors,
      openVisitor: async () =>
        ({
          submit: async () => {
            throw new BackplaneError('DRAINING', 'the owner is stopping');
          },
          close: async () => {},
        }) as unknown as Visitor,
    };
    const err = new Capture();
    const world = cliWorld({ out: brokenPipe(), err, doors });
    const code = await runCli(['op', 'doc', '{}', '--timeout', '50ms'], world, quietProcess);
    expect(code).toBe(6);
    expect(err.text).toContain('[BP-DRAINING]');
  });

  it('leaves the real binary without an error', () => {
    const bin = `"${process.execPath}" "${projectRoot}bin/backplane.js"`;
    const line = `for i in 1 2 3 4 5; do ${bin} man errors | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"; done`;
    const { stdout, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: '0\n'.repeat(5), stderr: '' });
  });
});

describe('an interrupt', () => {
  it('ends a command that looks with 130, quietly, and closes what it opened', async () => {
    const cluster = new EndlessCluster();
    const run = started(['inspect', 'channels', '-o', 'jsonl'], cluster);
    await expect.poll(() => cluster.rows).toBeGreaterThan(0);
    run.happening.send('SIGINT');
    expect(await run.code).toBe(130);
    expect(run.err.text).toBe('');
    expect(cluster.enginesOpen).toBe(0);
  });

  it('that is repeated ends a command that hangs at once, and says what may have happened', async () => {
    const cluster = new EndlessCluster();
    const run = started(['op', 'doc', '{}'], cluster);
    await expect.poll(() => cluster.asked).toBe(true);
    run.happening.send('SIGINT');
    run.happening.send('SIGINT');
    expect(await run.code).toBe(130);
    expect(run.err.text).toContain('[BP-INTERRUPTED]');
    expect(run.err.text).toContain('it may have happened all the same');
    expect(cluster.enginesOpen).toBe(0);
  });
});

describe('a bug of ours', () => {
  it('ends the command with 1, one sentence, and whatever was open closed', async () => {
    const cluster = new EndlessCluster();
    const run = started(['op', 'doc', '{}'], cluster);
    await expect.poll(() => cluster.asked).toBe(true);
    run.happening.crash(new TypeError('x is not a function'));
    expect(await run.code).toBe(1);
    expect(run.err.text).toMatch(/^error: x is not a function \[BP-INTERNAL\]\n/);
    expect(run.err.text).not.toMatch(/\n\s+at /);
    expect(cluster.enginesOpen).toBe(0);
  });
});

describe('a reader that neither reads nor goes away', () => {
  it('does not keep an interrupted command', async () => {
    const cluster = new EndlessCluster();
    const stuck = new Writable({ highWaterMark: 1, write() {} });
    const run = started(['inspect', 'channels', '-o', 'jsonl'], cluster, stuck);
    await expect.poll(() => cluster.rows).toBe(255);
    run.happening.send('SIGINT');
    expect(await run.code).toBe(130);
  });
});

describe('a command that takes long', () => {
  it('says so on a terminal after a second, and wipes it before it ends', async () => {
    const clock = new VirtualClock();
    const err = new Capture(true);
    const { doors } = new EndlessCluster();
    const happening = new EventfulProcess();
    const world = { ...cliWorld({ err, doors }), clock };
    const code = runCli(['op', 'doc', '{}'], world, happening);
    await expect.poll(() => clock.timersWaiting).toBeGreaterThan(0);
    await clock.advance(999);
    expect(err.text).toBe('');
    await clock.advance(500);
    expect(err.text).toMatch(/⠋ 1s.*⠙ 1\.1s/s);
    happening.send('SIGINT');
    happening.send('SIGINT');
    expect(await code).toBe(130);
    expect(err.text).toMatch(/\r\u001b\[2K\u001b\[31merror:/);
    expect(clock.timersWaiting).toBe(0);
  });

  it('draws nothing where nobody sits', async () => {
    const clock = new VirtualClock();
    const err = new Capture();
    const cluster = new EndlessCluster();
    const happening = new EventfulProcess();
    const world = { ...cliWorld({ err, doors: cluster.doors }), clock };
    const code = runCli(['op', 'doc', '{}'], world, happening);
    await expect.poll(() => cluster.asked).toBe(true);
    await clock.advance(3_000);
    expect(err.text).toBe('');
    happening.send('SIGINT');
    happening.send('SIGINT');
    expect(await code).toBe(130);
  });
});

describe('the real binary', () => {
  it('colours errors when told to, and not otherwise', async () => {
    const red = '\u001b[31m';
    const wrong = ['man', 'no-such-page'];
    expect((await runBackplane(wrong)).stderr).not.toContain(red);
    const environment = { NO_COLOR: '1' };
    const always = await runBackplane([...wrong, '--color', 'always'], { environment });
    expect(always.stderr).toContain(`${red}error:`);
  });

  it('prints its version, in every format', async () => {
    const { version } = JSON.parse((await runBackplane(['version', '-o', 'json'])).stdout);
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect((await runBackplane(['--version'])).stdout).toBe(`${version}\n`);
    expect((await runBackplane(['version', '-o', 'yaml'])).stdout).toContain(
      `version: "${version}"`,
    );
  });

  it('says which Node.js it needs when that is too old, and exits with 2', async () => {
    const old = "Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } })";
    const environment = {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(old)}`,
    };
    const { code, stdout, stderr } = await runBackplane(['--help'], { environment });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('needs Node.js 24 or later, and this is 20.1.0');
  });

  it('learns the token of a file, and never prints it', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'canary-of-the-file');
    const { code, stderr } = await runBackplane([
      ...['man', 'canary-of-the-file', '--token-file', file, '--debug'],
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('there is no manual page for "***"');
    expect(stderr).not.toContain('canary');
  });
});

/** A pipe whose other end is closed. */
function brokenPipe(): Writable {
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  return stream;
}
