/** A call a node makes through one of its ports. */
export interface PortCall {
  readonly port:
    | 'sessions'
    | 'leases'
    | 'registry'
    | 'store'
    | 'bus'
    | 'clusterRecords'
    | 'cacheRecords';
  readonly method: string;
  readonly args: readonly unknown[];
}

/**
 * What becomes of a call. `answers`: it is carried out, but this is the answer. `fails`: it is not carried out. `carriedOutThenFails`: it is, and the
 * answer is lost. `hangs`: it is not, and no answer ever comes. `waits`: it is carried out, and its
 * answer is held back until the promise settles. `waitsFirst`: it is carried out only then.
 */
export type PortFault =
  | { readonly answers: unknown }
  | { readonly fails: Error }
  | { readonly carriedOutThenFails: Error }
  | { readonly hangs: true }
  | { readonly waits: Promise<unknown> }
  | { readonly waitsFirst: Promise<unknown> };

type Rule = (call: PortCall) => PortFault | undefined;

/**
 * Stands between a node and its ports: counts what is called, and does to some calls what the
 * world does to calls.
 */
export class PortFaults {
  readonly calls: PortCall[] = [];
  readonly #rules = new Set<Rule>();
  #dead = false;
  #gate: Promise<void> = Promise.resolve();

  /** For as long as the returned function is not called; the rule added first wins. */
  rule(rule: Rule): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  /** The next so many calls of a method meet this fault. */
  next(name: `${PortCall['port']}.${string}`, fault: PortFault, times = 1): void {
    let left = times;
    const end = this.rule((call) => {
      if (`${call.port}.${call.method}` !== name) return undefined;
      left -= 1;
      if (left <= 0) end();
      return fault;
    });
  }

  /** Every call of a method meets this fault, until the returned function is called. */
  always(name: `${PortCall['port']}.${string}`, fault: PortFault): () => void {
    return this.rule((call) => (`${call.port}.${call.method}` === name ? fault : undefined));
  }

  /** The process is gone: nothing it calls is carried out any more. */
  kill(): void {
    this.#dead = true;
  }

  /** Answers are held back until the gate opens: the process stands still. */
  holdAnswersFor(gate: Promise<void>): void {
    this.#gate = gate;
  }

  /** How often a method was called: `count('leases.claim')`, or of a whole port: `count('store.')`. */
  count(prefix: string): number {
    return this.calls.filter(({ port, method }) => `${port}.${method}`.startsWith(prefix)).length;
  }

  wrap<T extends object>(port: PortCall['port'], target: T): T {
    return new Proxy(target, {
      get: (object, method) => {
        const member = Reflect.get(object, method, object);
        if (typeof member !== 'function' || method === 'onInterrupted') {
          return typeof member === 'function' ? member.bind(object) : member;
        }
        return (...args: unknown[]) => {
          return this.#call({ port, method: String(method), args }, () => {
            return member.apply(object, args);
          });
        };
      },
    });
  }

  async #call(call: PortCall, carryOut: () => Promise<unknown>): Promise<unknown> {
    if (this.#dead) return new Promise(() => {});
    this.calls.push(call);
    let fault: PortFault | undefined;
    for (const rule of [...this.#rules]) {
      fault = rule(call);
      if (fault) break;
    }
    const outcome = this.#outcome(fault, carryOut);
    outcome.catch(() => {});
    await outcome.catch(() => {});
    // Also while a held process is held again.
    for (let gate = null; gate !== this.#gate; await gate) gate = this.#gate;
    if (this.#dead) return new Promise(() => {});
    return outcome;
  }

  async #outcome(fault: PortFault | undefined, carryOut: () => Promise<unknown>): Promise<unknown> {
    if (!fault) return carryOut();
    if ('fails' in fault) throw fault.fails;
    if ('hangs' in fault) return new Promise(() => {});
    if ('waitsFirst' in fault) {
      await fault.waitsFirst;
      return carryOut();
    }
    const answer = await carryOut();
    if ('carriedOutThenFails' in fault) throw fault.carriedOutThenFails;
    if ('answers' in fault) return fault.answers;
    await fault.waits;
    return answer;
  }
}
