import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { formatDuration } from '../../../foundation/duration.ts';
import { BackplaneError } from '../../../foundation/errors.ts';
import type { Clock, Timer } from '../../../ports/clock.ts';
import type { BlockedLoop, NodeAgent } from '../drill-cluster.ts';
import type { AgentAnswer, AgentCommand } from './agent-protocol.ts';

/** On a busy machine a node that does start takes a while until it listens. */
const answerMsMax = 15_000;

type Question = AgentCommand extends infer Each
  ? Each extends AgentCommand
    ? Omit<Each, 'id'>
    : never
  : never;

interface Asked {
  readonly timer: Timer;
  resolve(answer: AgentAnswer): void;
  reject(error: BackplaneError): void;
}

/**
 * The agent in one life of a node. Every question ends: with its answer, when the process ends, or
 * when it took too long (INCONCLUSIVE).
 */
export class AgentLink implements NodeAgent {
  readonly #nodeId: string;
  readonly #pipe: Duplex;
  readonly #clock: Clock;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #isClosed = false;

  constructor(nodeId: string, pipe: Duplex, clock: Clock) {
    this.#nodeId = nodeId;
    this.#pipe = pipe;
    this.#clock = clock;
    const lines = createInterface({ input: pipe });
    lines.on('line', (line) => this.#heard(JSON.parse(line)));
    // A process that is killed before it has read everything resets the pipe; its end says it all.
    for (const each of [pipe, lines]) each.on('error', () => {});
  }

  async blockEventLoop(): Promise<BlockedLoop> {
    await this.#ask({ ask: 'block' });
    let released: Promise<unknown> | null = null;
    return {
      release: async () => {
        released ??= this.#ask({ ask: 'release' });
        await released;
      },
    };
  }

  async stepWallClock(byMs: number): Promise<void> {
    await this.#ask({ ask: 'step', byMs });
  }

  async wallMs(): Promise<number> {
    return (await this.#ask({ ask: 'wall' })).wallMs;
  }

  /** The process has ended. */
  close(): void {
    this.#isClosed = true;
    this.#pipe.destroy();
    for (const { timer, reject } of this.#asked.values()) {
      timer.cancel();
      reject(this.#unanswered('its process ended'));
    }
    this.#asked.clear();
  }

  #ask(question: Question): Promise<AgentAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(this.#unanswered('its process ended'));
      const id = ++this.#lastId;
      const timer = this.#clock.after(answerMsMax, () => {
        this.#asked.delete(id);
        reject(this.#unanswered(`no answer within ${formatDuration(answerMsMax)}`));
      });
      this.#asked.set(id, { timer, resolve, reject });
      this.#pipe.write(`${JSON.stringify({ ...question, id })}\n`);
    });
  }

  #heard(answer: AgentAnswer): void {
    const asked = this.#asked.get(answer.id);
    this.#asked.delete(answer.id);
    asked?.timer.cancel();
    asked?.resolve(answer);
  }

  #unanswered(why: string): BackplaneError {
    const message = `the agent in ${this.#nodeId} cannot be asked: ${why}`;
    return new BackplaneError('INCONCLUSIVE', message);
  }
}
