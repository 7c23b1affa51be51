import { formatDuration } from '../../../foundation/duration.ts';
import { BackplaneError } from '../../../foundation/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import type { DrillNode, NodeAgent } from '../drill-cluster.ts';
import { freePort } from '../free-port.ts';
import { practice } from '../practice.ts';
import type { FaultProxy } from '../proxy/fault-proxy.ts';
import { type LifeOptions, NodeLife, type NodeLine } from './node-life.ts';
import type { Warden } from './warden.ts';

/** A node starts in well under a second; on a busy machine it takes its time. */
const readyMsMax = 30_000;

export interface NodeProcessOptions {
  readonly nodeId: string;
  /** Node.js and the script that it runs as `backplane`. */
  readonly program: readonly string[];
  readonly proxy: FaultProxy;
  /** As `serve --store` takes it; null: the one that goes with the broker. */
  readonly storeUrl: string | null;
  /** Settings of `serve` by flag without its dashes; a switch is `true`. */
  readonly serve: Readonly<Record<string, string>>;
  /** That of the drill. A node gets only what it needs of it, and no settings of the user's nodes. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly warden: Pick<Warden, 'watchProcess' | 'forgetProcess'>;
  readonly observe: (event: NodeEvent) => void;
}

/** What a drill hears of a node. A twin tells only what it says: it is not the node. */
export type NodeEvent =
  /** From here on it is meant to live. */
  | { readonly kind: 'up'; readonly nodeId: string }
  /** Its process ended; `asked` says whether the drill ended it. */
  | {
      readonly kind: 'down';
      readonly nodeId: string;
      readonly end: number | string;
      readonly asked: boolean;
    }
  /** A line of its standard output: `ready`, `event`, `draining`, `stopped`. */
  | { readonly kind: 'line'; readonly nodeId: string; readonly line: NodeLine };

/** `backplane serve` as a process of its own, behind its proxy, with the agent in it. */
export class NodeProcess implements DrillNode {
  readonly nodeId: string;
  readonly address: string;
  readonly proxy: FaultProxy;
  readonly agent: NodeAgent;
  readonly #options: NodeProcessOptions;
  readonly #port: number;
  #isTwin = false;
  #life: NodeLife | null = null;
  #session: string | null = null;
  /** Whether the process of this life was told to end. */
  #isAsked = false;

  private constructor(options: NodeProcessOptions, port: number) {
    this.#options = options;
    this.#port = port;
    this.nodeId = options.nodeId;
    this.proxy = options.proxy;
    this.address = `http://127.0.0.1:${port}`;
    this.agent = {
      blockEventLoop: async () => this.#living().agent.blockEventLoop(),
      stepWallClock: async (byMs) => this.#living().agent.stepWallClock(byMs),
      wallMs: async () => this.#living().agent.wallMs(),
    };
  }

  /** Chooses its address; nothing is started. */
  static async create(options: NodeProcessOptions): Promise<NodeProcess> {
    return new NodeProcess(options, await freePort(options.random));
  }

  get pid(): number | null {
    return this.#life?.end === null ? (this.#life.pid ?? null) : null;
  }

  get session(): string | null {
    return this.#session;
  }

  async start(): Promise<void> {
    if (this.pid !== null) {
      throw new BackplaneError('CONFLICT', `${this.nodeId} runs already, as process ${this.pid}`);
    }
    const { promise: readiness, resolve } = Promise.withResolvers<'ready' | 'late'>();
    const life = this.#spawn((line) => {
      if (line.type === 'ready') resolve('ready');
    });
    const timer = this.#options.clock.after(readyMsMax, () => resolve('late'));
    const outcome = await Promise.race([readiness, life.ended]);
    timer.cancel();
    if (outcome === 'ready') return;
    await this.kill();
    throw notReady(this, outcome === 'late' ? null : outcome);
  }

  signal(signal: NodeJS.Signals): void {
    this.#life?.signal(signal);
  }

  async kill(): Promise<void> {
    this.#isAsked = true;
    this.#life?.signal('SIGKILL');
    await this.#life?.ended;
  }

  async terminate(timeoutMs: number): Promise<number | string> {
    const life = this.#life;
    if (life === null) return 0;
    this.#isAsked = true;
    life.signal('SIGTERM');
    const timer = this.#options.clock.after(timeoutMs, () => life.signal('SIGKILL'));
    const end = await life.ended;
    timer.cancel();
    return end;
  }

  complaints(): string {
    return this.#life?.complaints() ?? '';
  }

  async twin(): Promise<NodeProcess> {
    const twin = await NodeProcess.create(this.#options);
    twin.#isTwin = true;
    return twin;
  }

  #spawn(heard: (line: NodeLine) => void): NodeLife {
    const { nodeId } = this;
    const { warden, observe, environment, clock } = this.#options;
    this.#isAsked = false;
    const life = new NodeLife({
      ...{ nodeId, clock, command: this.#command() },
      environment: nodeEnvironment(environment),
      heard: (line) => {
        this.#session = sessionIn(line) ?? this.#session;
        heard(line);
        observe({ kind: 'line', nodeId, line });
      },
    });
    const { pid } = life;
    this.#life = life;
    // Before anything is awaited: a drill that is killed from here on leaves it to the warden.
    if (pid !== undefined) warden.watchProcess(pid);
    if (!this.#isTwin) observe({ kind: 'up', nodeId });
    void life.ended.then((end) => {
      if (pid !== undefined) warden.forgetProcess(pid);
      if (!this.#isTwin) observe({ kind: 'down', nodeId, end, asked: this.#isAsked });
    });
    return life;
  }

  #command(): LifeOptions['command'] {
    const { program, storeUrl, serve, proxy } = this.#options;
    const [node = '', ...script] = program;
    return [
      ...[node, '--import', agentUrl, ...script, 'serve', '-o', 'jsonl'],
      ...['--url', `redis://127.0.0.1:${proxy.port}`],
      ...['--node-id', this.nodeId, '--port', String(this.#port)],
      ...(storeUrl === null ? [] : ['--store', storeUrl]),
      ...Object.entries(serve).flatMap(([name, value]) => asFlag(name, value)),
    ];
  }

  #living(): NodeLife {
    if (this.#life !== null && this.pid !== null) return this.#life;
    throw new BackplaneError('INCONCLUSIVE', `${this.nodeId} does not run`);
  }
}

const agentUrl = new URL(
  import.meta.url.endsWith('.ts') ? './node-agent.ts' : './node-agent.js',
  import.meta.url,
).href;

function asFlag(name: string, value: string): string[] {
  if (value === 'false') return [];
  return value === 'true' ? [`--${name}`] : [`--${name}`, value];
}

/** What a node needs of the machine, and what developers load into their programs. */
function nodeEnvironment(environment: NodeProcessOptions['environment']) {
  const { PATH, HOME, TMPDIR, NODE_OPTIONS } = environment;
  const source = { [practice.variable]: environment[practice.variable] };
  return { PATH, HOME, TMPDIR, NODE_OPTIONS, NO_COLOR: '1', ...source };
}

function sessionIn(line: NodeLine): string | null {
  const { session } = line.type === 'ready' ? line : openedIn(line);
  return typeof session === 'string' ? session : null;
}

function openedIn({ name, facts }: NodeLine): NodeLine {
  return name === 'session.opened' ? (facts as NodeLine) : {};
}

function notReady(node: NodeProcess, end: number | string | null): BackplaneError {
  const said = messageIn(node.complaints().trim());
  const why =
    end === null
      ? `${node.nodeId} was not ready within ${formatDuration(readyMsMax)}`
      : `${node.nodeId} ended with ${end} before it was ready`;
  return new BackplaneError('INCONCLUSIVE', said === '' ? why : `${why}: ${said}`, {
    remedy: 'see what it said; run the same command without the drill',
    facts: { nodeId: node.nodeId, end },
  });
}

/** With `-o jsonl` a command says in JSON why it failed; what Node.js itself says is text. */
function messageIn(complaints: string): string {
  try {
    const { error } = JSON.parse(complaints.split('\n').at(-1) ?? '');
    return typeof error?.message === 'string' ? error.message : complaints;
  } catch {
    return complaints;
  }
}
