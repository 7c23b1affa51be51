/**
 * A wall clock that can be stepped, in the place of the global `Date`: whoever asks it for the time
 * gets the machine's, moved. Nothing is replaced before the first step. Monotonic time goes on.
 */
const MachineDate = globalThis.Date;
let offsetMs = 0;

export function stepDate(byMs: number): void {
  if (globalThis.Date === MachineDate) globalThis.Date = steppedDate();
  offsetMs += byMs;
}

/** What the process believes the time to be. */
export function wallMs(): number {
  return globalThis.Date.now();
}

function steppedDate(): DateConstructor {
  const now = () => MachineDate.now() + offsetMs;
  return new Proxy(MachineDate, {
    get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    // `Date()`, without `new`, is the time as text.
    apply: (target) => new target(now()).toString(),
  });
}
