import { readSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { type AgentAnswer, type AgentCommand, agentFd } from './agent-protocol.ts';
import { stepDate, wallMs } from './stepped-date.ts';

/**
 * A program that a drill loads into the process of a node (`--import`), to do there what cannot be
 * done from outside: stop the event loop, step the wall clock. It keeps no process alive, and ends
 * the process when the drill is gone, also while the loop is blocked.
 */

/** How soon a blocked loop notices that it is released. */
const sliceMs = 2;
const parked = new Int32Array(new SharedArrayBuffer(4));
const buffer = Buffer.alloc(4_096);
const waiting: AgentCommand[] = [];
let unread = '';

// A thread of the node may be given the same arguments; the pipe is the main thread's.
if (isMainThread) listen();

function listen(): void {
  const channel = new Socket({ fd: agentFd, readable: true, writable: false });
  channel.setEncoding('latin1');
  channel.on('data', (text: string) => {
    takeIn(text);
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) obey(next);
  });
  channel.on('error', endProcess);
  channel.on('close', endProcess);
  channel.unref();
}

function takeIn(text: string): void {
  const lines = (unread + text).split('\n');
  unread = lines.pop() ?? '';
  waiting.push(...lines.map((line) => JSON.parse(line) as AgentCommand));
}

function obey(command: AgentCommand): void {
  switch (command.ask) {
    case 'block':
      answer(command);
      return block();
    case 'step':
      stepDate(command.byMs);
      return answer(command);
    case 'wall':
    case 'release':
      return answer(command);
  }
}

/** Nothing runs in this thread until the drill releases it. What else it asks waits its turn. */
function block(): void {
  for (;;) {
    const at = waiting.findIndex(({ ask }) => ask === 'release');
    const [release] = at < 0 ? [] : waiting.splice(at, 1);
    if (release !== undefined) return answer(release);
    Atomics.wait(parked, 0, 0, sliceMs);
    readNow();
  }
}

/** The event loop reads the pipe no more, so this may, and gets what the loop has not seen. */
function readNow(): void {
  try {
    const length = readSync(agentFd, buffer);
    if (length === 0) return endProcess();
    takeIn(buffer.toString('latin1', 0, length));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') endProcess();
  }
}

/** At once: what waits for the event loop would not be sent while it is blocked. */
function answer({ id }: AgentCommand): void {
  const said: AgentAnswer = { id, wallMs: wallMs() };
  try {
    writeSync(agentFd, `${JSON.stringify(said)}\n`);
  } catch {
    // Nobody listens any more.
    endProcess();
  }
}

/** As a crash: a node that would hand over needs a broker, which ends as well. */
function endProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}
