import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Warden } from '../../../../src/verification/drills/nodes/warden.ts';
import { realClock } from '../../../support/real-clock.ts';
import { drilledNode } from './drill-nodes.ts';

/** A drill that is killed in the middle: it says what it has, and waits. */
const { port } = JSON.parse(process.argv[2] ?? '{}');
// They end some day even if nothing that is tested here works.
const sleeper = ['-e', 'setTimeout(() => {}, 120_000)'];
const child = () => spawn(process.execPath, sleeper, { detached: true, stdio: 'ignore' });
const place = { temporary: tmpdir(), environment: process.env, clock: realClock };
const warden = await Warden.start(place);
const folder = warden.makeFolder();
writeFileSync(join(folder, 'broker.log'), 'it runs');

const running = child();
const paused = child();
const forgotten = child();
const stranger = child();
for (const { pid } of [running, paused, forgotten]) warden.watchProcess(pid as number);
warden.forgetProcess(forgotten.pid as number);
warden.resumeOnEnd(stranger.pid as number);
paused.kill('SIGSTOP');
stranger.kill('SIGSTOP');

const { node } = await drilledNode({ port } as never, { warden });
await node.start();
node.signal('SIGSTOP');
// A node whose warden knows nothing of it, blocked: it must notice by itself.
const nobody = { watchProcess: () => {}, forgetProcess: () => {} };
const { node: unwatched } = await drilledNode({ port } as never, {
  nodeId: 'node-2',
  warden: nobody,
});
await unwatched.start();
await unwatched.agent.blockEventLoop();

const pids = {
  ...{ warden: warden.pid, running: running.pid, paused: paused.pid },
  ...{ forgotten: forgotten.pid, stranger: stranger.pid, node: node.pid, unwatched: unwatched.pid },
};
console.log(JSON.stringify({ pids, folder }));
setInterval(() => {}, 60_000);
