import { lstatSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { readProcess } from './read-process.ts';
import { drillFolderPrefix, type WardenOrder } from './warden-orders.ts';

/**
 * A small program that outlives its drill: at the end of its input (the drill closed it, or was
 * killed) it ends, resumes and removes what it was told of, says on its output what that was, and
 * ends. It touches only what is provably still the same process or folder.
 */

const [temporary = ''] = process.argv.slice(2);
const pauseMs = 20;
const pausesMax = 250;
const orders = new Map<string, WardenOrder>();
let unread = '';

// It is in a group of its own; whoever ends it nevertheless must end the drill first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => {
  const lines = (unread + text).split('\n');
  unread = lines.pop() ?? '';
  for (const line of lines) take(JSON.parse(line));
});
process.stdin.on('error', () => {});
process.stdin.once('close', () => {
  say(cleanUp().join('\n'));
  process.exit(0);
});
say('ready\n');

function take(order: WardenOrder): void {
  const name = 'pid' in order ? `process ${order.pid}` : `folder ${order.path}`;
  if (order.order === 'forget') orders.delete(name);
  else orders.set(name, order);
}

/** Processes first: one that lives would write into a folder while it is removed. */
function cleanUp(): string[] {
  const done: string[] = [];
  const dying: { pid: number; startedAt: string }[] = [];
  for (const [name, order] of orders) {
    if (order.order === 'end' && signal(order, 'SIGKILL')) {
      dying.push(order);
      done.push(name);
    }
    if (order.order === 'resume' && signal(order, 'SIGCONT')) done.push(name);
  }
  const parked = new Int32Array(new SharedArrayBuffer(4));
  for (let pauses = 0; dying.some(isSame) && pauses < pausesMax; pauses++) {
    Atomics.wait(parked, 0, 0, pauseMs);
  }
  for (const [name, order] of orders) {
    if (order.order === 'remove' && remove(order)) done.push(name);
  }
  return done;
}

function isSame({ pid, startedAt }: { pid: number; startedAt: string }): boolean {
  return readProcess(pid)?.startedAt === startedAt;
}

function signal(order: { pid: number; startedAt: string }, signal: NodeJS.Signals): boolean {
  if (!isSame(order)) return false;
  try {
    return process.kill(order.pid, signal);
  } catch {
    // It ended by itself, just now.
    return false;
  }
}

/** Only a folder that a drill made in the folder for what is temporary, and that is still the same. */
function remove({ path, identity }: { path: string; identity: string }): boolean {
  if (!basename(path).startsWith(drillFolderPrefix)) return false;
  try {
    const { dev, ino } = lstatSync(path);
    if (!lstatSync(path).isDirectory() || `${dev}:${ino}` !== identity) return false;
    if (realpathSync(dirname(path)) !== realpathSync(temporary)) return false;
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    return true;
  } catch {
    return false;
  }
}

function say(text: string): void {
  try {
    writeSync(1, text);
  } catch {
    // The drill is gone, and nobody reads it.
  }
}
