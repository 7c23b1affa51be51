import { BackplaneError } from '../../foundation/errors.ts';

/** Where a world could be touched by the machine it runs on. */
const doors = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['performance', 'now'],
  ['crypto', 'randomUUID'],
  ['crypto', 'getRandomValues'],
  [null, 'setTimeout'],
  [null, 'setInterval'],
  [null, 'setImmediate'],
  [null, 'fetch'],
  ['process', 'hrtime'],
] as const;

type Owner = Record<string, unknown>;

/** Those of the real event loop, which only the driver of a world may use. */
export interface GuardedWorld {
  /** False while the real event loop has its turn. */
  readonly isInside: boolean;
  /** What `process.nextTick` does meanwhile. */
  tick(run: () => void): void;
}

let guarded = false;

/**
 * Shuts the doors to real time, chance and I/O while a world runs, so that the same seed is the same
 * history. Whoever uses one gets an error that names the caller. Answers how to open them again.
 */
export function guardWorld(
  world: GuardedWorld,
  trespassed: (error: BackplaneError) => void,
): () => void {
  if (guarded) throw new BackplaneError('CONFLICT', 'one world at a time runs in a process');
  guarded = true;
  const undo = doors.map(([owner, name]) => {
    const host = (owner === null ? globalThis : Reflect.get(globalThis, owner)) as Owner;
    const real = host[name] as (...args: unknown[]) => unknown;
    return replace(host, name, (...args: unknown[]) => {
      if (!world.isInside) return real.apply(host, args);
      const error = trespass(owner === null ? name : `${owner}.${name}`);
      trespassed(error);
      throw error;
    });
  });
  const realTick = process.nextTick.bind(process);
  const nextTick = (run: (...args: unknown[]) => void, ...args: unknown[]) => {
    if (!world.isInside) realTick(run, ...args);
    else world.tick(args.length === 0 ? run : () => run(...args));
  };
  undo.push(replace(process as unknown as Owner, 'nextTick', nextTick));
  return () => {
    for (const restore of undo) restore();
    guarded = false;
  };
}

function replace(host: Owner, name: string, by: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(host, name);
  Object.defineProperty(host, name, { value: by, configurable: true, writable: true });
  return () => {
    if (before) Object.defineProperty(host, name, before);
    else Reflect.deleteProperty(host, name);
  };
}

function trespass(door: string): BackplaneError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 20;
  const { stack = '' } = new Error('who calls');
  Error.stackTraceLimit = stackTraceLimit;
  const callers = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const caller = callers.find((line) => !line.includes('world-guard')) ?? 'an unknown caller';
  return new BackplaneError('INTERNAL', `${door} was used inside a simulated world`, {
    facts: { caller: caller.trim().replace(/^at /, '') },
  });
}
