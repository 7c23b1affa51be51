import { asBackplaneError, BackplaneError } from '../../foundation/errors.ts';
import { limits } from '../../foundation/limits.ts';
import { type OpReport, type SubmitParts, submitOp } from './submit-op.ts';

export interface OpStream {
  readonly doc: string;
  readonly peer: string;
  readonly payloads: AsyncIterable<Uint8Array>;
  /** The counter of the first op; 1 unless the peer has sent before. */
  readonly firstCounter?: number;
}

export interface SubmitOpsOptions {
  /** For each op by itself. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

type Settled =
  | { readonly ok: true; readonly report: OpReport }
  | { readonly ok: false; readonly error: BackplaneError };

/**
 * Submits ops in order, many at a time, and yields each acknowledgement in order as it comes.
 * After the first failure nothing more is read; the error thrown then says how many ops were
 * acknowledged, and because a peer's ops have no gaps, none after an op that failed for certain
 * can have been applied.
 */
export async function* submitOps(
  parts: SubmitParts,
  stream: OpStream,
  options: SubmitOpsOptions = {},
): AsyncGenerator<OpReport> {
  const pipeline = new Pipeline(parts, stream, options);
  const source = stream.payloads[Symbol.asyncIterator]();
  let acknowledged = 0;
  let failure: BackplaneError | null = null;
  let line: Promise<LineRead> | null = readLine(source);
  try {
    while (line || pipeline.length > 0) {
      const event: LineRead | SettledHead = await Promise.race([
        ...(line && pipeline.hasRoom(acknowledged) ? [line] : []),
        ...(pipeline.length > 0 ? [pipeline.head()] : []),
      ]);
      if (event.kind === 'line') {
        pipeline.send(event.payload);
        line = readLine(source);
      } else if (event.kind === 'end') {
        // A bad line ends the reading; what was sent before it is still waited for.
        line = null;
        failure = event.error;
      } else if (event.outcome.ok) {
        pipeline.shift();
        acknowledged++;
        yield event.outcome.report;
      } else {
        failure = event.outcome.error;
        pipeline.shift();
        break;
      }
    }
    if (failure) throw explain(failure, acknowledged, await pipeline.abandon());
  } finally {
    await pipeline.abandon();
    // Not awaited: a source that waits for input (a terminal) ends when somebody types.
    source.return?.()?.catch(() => {});
  }
}

type LineRead =
  | { readonly kind: 'line'; readonly payload: Uint8Array }
  | { readonly kind: 'end'; readonly error: BackplaneError | null };

interface SettledHead {
  readonly kind: 'settled';
  readonly outcome: Settled;
}

async function readLine(source: AsyncIterator<Uint8Array>): Promise<LineRead> {
  try {
    const { done, value } = await source.next();
    return done ? { kind: 'end', error: null } : { kind: 'line', payload: value };
  } catch (thrown) {
    return { kind: 'end', error: asBackplaneError(thrown) };
  }
}

/** The ops on their way, oldest first. */
class Pipeline {
  readonly #parts: SubmitParts;
  readonly #stream: OpStream;
  readonly #options: SubmitOpsOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #pending: Promise<Settled>[] = [];
  #counter: number;
  #previous: Promise<boolean> = Promise.resolve(true);

  constructor(parts: SubmitParts, stream: OpStream, options: SubmitOpsOptions) {
    this.#parts = parts;
    this.#stream = stream;
    this.#options = options;
    this.#counter = stream.firstCounter ?? 1;
    const { signal } = options;
    this.#signal = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
  }

  get length(): number {
    return this.#pending.length;
  }

  /** The first op goes alone: it finds the owner, or makes one, for all that follow. */
  hasRoom(acknowledged: number): boolean {
    return this.#pending.length < (acknowledged === 0 ? 1 : limits.peerUnackedMax);
  }

  send(payload: Uint8Array): void {
    const { doc, peer } = this.#stream;
    const { timeoutMs } = this.#options;
    const outcome: Promise<Settled> = submitOp(
      this.#parts,
      doc,
      { peer, counter: this.#counter++, payload },
      {
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        signal: this.#signal,
        previous: this.#previous,
      },
    ).then(
      (report) => ({ ok: true, report }),
      (thrown) => ({ ok: false, error: asBackplaneError(thrown) }),
    );
    this.#previous = outcome.then(({ ok }) => ok);
    this.#pending.push(outcome);
  }

  async head(): Promise<SettledHead> {
    return { kind: 'settled', outcome: await (this.#pending[0] as Promise<Settled>) };
  }

  shift(): void {
    this.#pending.shift();
  }

  /** Stops sending, and says how many of those under way were acknowledged after all. */
  async abandon(): Promise<number> {
    this.#stop.abort();
    const outcomes = await Promise.all(this.#pending.splice(0));
    return outcomes.filter(({ ok }) => ok).length;
  }
}

function explain(failure: BackplaneError, acknowledged: number, later: number): BackplaneError {
  const before = `${acknowledged} ${acknowledged === 1 ? 'op was' : 'ops were'} acknowledged before`;
  const after = later > 0 ? `, ${later} after` : '';
  return new BackplaneError(failure.code, `${failure.message} (${before}${after})`, {
    cause: failure,
    certainty: failure.certainty,
    remedy: failure.remedy,
    facts: { ...failure.facts, acknowledged, acknowledgedAfter: later },
  });
}
