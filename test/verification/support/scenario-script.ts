import { protocol } from '../../../src/foundation/limits.ts';
import type { NodeRuntime } from '../../../src/runtime/node-runtime.ts';
import { defaultDials } from '../../../src/runtime/node-settings.ts';
import type { HistoryEvent } from '../../../src/verification/history-event.ts';
import type { Law } from '../../../src/verification/law.ts';
import { lawsOf } from '../../../src/verification/law-book.ts';
import { SeededRandom } from '../../../src/verification/seeded-random.ts';
import { drawProfile } from '../../../src/verification/simulation/fault-profile.ts';
import { NothingUnexpected } from '../../../src/verification/simulation/nothing-unexpected.ts';
import { simBudgets } from '../../../src/verification/simulation/run-seed.ts';
import { SimHistory } from '../../../src/verification/simulation/sim-history.ts';
import type { SimNode } from '../../../src/verification/simulation/sim-node.ts';
import { SimWorld } from '../../../src/verification/simulation/sim-world.ts';
import { Timeline } from '../../../src/verification/simulation/timeline.ts';
import { guardWorld } from '../../../src/verification/simulation/world-guard.ts';

/**
 * A story as text. `nodes N` says how many, `twins` that the first and the last have one id, `slow
 * takeover` that only time tells who is dead; `at 3s VERB …` is a step; what stands below `expect` are
 * events that must come in this order, others between them: `name field=value …`, where `$x` stands
 * for whatever it stood for first, and `by 9s` before the name says until when. A line with `#` is a
 * remark.
 */
interface Script {
  readonly nodes: number;
  readonly twins: boolean;
  readonly fastTakeover: boolean;
  readonly steps: readonly { readonly atMs: number; readonly words: readonly string[] }[];
  readonly expected: readonly string[];
}

export interface ScriptOutcome {
  /** The first expected event that did not come, and what came instead. */
  readonly missing: string | null;
  readonly violated: readonly string[];
  readonly events: readonly HistoryEvent[];
}

const settleMs = 20_000;

export async function playScript(text: string): Promise<ScriptOutcome> {
  const script = parse(text);
  const drawn = drawProfile(
    { seed: 1, nodes: script.nodes, hours: 1, faults: [] },
    new SeededRandom(1),
  );
  const profile = {
    ...drawn,
    ...({ storeAnnounces: false, documentEngine: 'log', driftMax: 0 } as const),
    fastTakeover: script.fastTakeover,
    network: { delayMs: 1, jitterMs: 0 },
    dials: defaultDials,
    selfProbeMs: protocol.selfProbeMs,
    documents: 1,
    twins: script.twins,
  };
  const timeline = new Timeline();
  const laws: Law[] = [...lawsOf(simBudgets), new NothingUnexpected()];
  const events: HistoryEvent[] = [];
  const history = new SimHistory(timeline, laws, { hashed: false, trace: (e) => events.push(e) });
  const unexpected = (what: string) => history.record({ ev: 'note', text: `unexpected: ${what}` });
  const world = new SimWorld({ profile, timeline, history, unexpected, logged: () => {} });
  await new Promise((resolve) => setImmediate(resolve));
  const leave = guardWorld(timeline, (error) => unexpected(error.message));
  try {
    timeline.at(0, () => {
      for (const node of world.nodes) node.start();
    });
    const stage = new Stage(world);
    let endMs = 0;
    for (const { atMs, words } of script.steps) {
      timeline.at(atMs, () => stage.play(words));
      endMs = Math.max(endMs, atMs);
    }
    await timeline.run(endMs + settleMs, () => false);
    world.tellEnd();
  } finally {
    leave();
  }
  const violated = laws.flatMap((law) => {
    const { outcome, counterexamples } = law.verdict({ atMs: timeline.nowMs });
    return outcome === 'violated' ? [`${law.name}: ${counterexamples[0]?.claim}`] : [];
  });
  return { missing: firstMissing(script.expected, events), violated, events };
}

/** The hands of whoever tells the story. */
class Stage {
  readonly #world: SimWorld;
  readonly #mends = new Map<string, ((delivers: boolean) => void)[]>();
  #replica: ReturnType<SimWorld['broker']['replica']> | null = null;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  play(words: readonly string[]): void {
    const [verb = '', what = '', ...more] = words;
    const { broker, faults } = this.#world;
    const verbs: Record<string, () => void> = {
      join: () => void this.#world.addPeer({ machine: what, doc: more[0] ?? '' }),
      write: () => {
        for (let op = 0; op < Number(more[1] ?? 1); op++) this.#peer(what)?.send(more[0] ?? '');
      },
      pause: () => this.#node(what).life?.process.pause(),
      resume: () => this.#node(what).life?.process.resume(),
      jump: () => this.#node(what).life?.process.jumpWall(Number(more[0]) * 1_000),
      drop: () => this.#node(what).life?.engine.bus.cutOff(),
      kill: () => this.#node(what).kill(false, 0),
      start: () => this.#node(what).start(),
      leave: () => void this.#node(what).leave(),
      acquire: () => this.#do(what, (runtime) => runtime.acquire(more[0] ?? '')),
      release: () => this.#do(what, (runtime) => runtime.release(more[0] ?? '')),
      ask: () => this.#ask(what, more[0] ?? ''),
      show: () => this.#peer(what)?.setAwareness(more[0] ?? ''),
      look: () => this.#world.tellViews(),
      cut: () => this.#cut(this.#node(what).machine, more[0] ?? ''),
      mute: () => this.#cut(this.#node(what).machine, more[0] ?? '', 'one way'),
      mend: () => this.#mend(this.#node(what).machine, more[0] ?? ''),
      store: () => Object.assign(faults.store, { [what]: Number(more[0]), lateMsMax: 0 }),
      slow: () => Object.assign(faults.store, { slow: what === 'on' ? 1 : 0, slowMsMax: 4_000 }),
      bus: () => Object.assign(faults.bus, { [what]: Number(more[0]) }),
      broker: () => {
        if (what === 'wipe') {
          broker.goDown();
          broker.comeUp('wiped');
        } else if (what === 'copy') this.#replica = broker.replica();
        else if (this.#replica) {
          broker.goDown();
          broker.comeUp(this.#replica);
        }
      },
    };
    const act = verbs[verb];
    if (!act) throw new Error(`the story has no verb "${verb}"`);
    act();
  }

  #peer(wanted: string) {
    return this.#world.peers.find(({ name }) => name === wanted);
  }

  #do(name: string, act: (runtime: NodeRuntime) => Promise<unknown>): void {
    const life = this.#node(name).life;
    if (life) act(life.runtime).catch(() => {});
  }

  /** A call that the application of a node makes to a document, or to a node if that is one's name. */
  #ask(name: string, whom: string): void {
    const life = this.#node(name).life;
    const timeoutMs = 4_000;
    const isNode = this.#world.nodes.some(({ machine }) => machine === whom);
    const target = isNode
      ? ({ kind: 'node', nodeId: whom } as const)
      : ({ kind: 'doc', doc: whom } as const);
    const ask = (id: string) =>
      life?.runtime.request(target, 'touch', Buffer.from(id), { timeoutMs });
    life?.diary.follow(timeoutMs, async (id) => ask(id)).catch(() => {});
  }

  /** `n1`, or `owner`, or `other`: the first that is not the owner. */
  #node(name: string): SimNode {
    const [lease] = this.#world.broker.leases();
    const session = lease?.[1].session;
    const isOwner = (node: SimNode) => node.life?.runtime.session() === session;
    const { nodes } = this.#world;
    const found =
      name === 'owner'
        ? (nodes.find(isOwner) ?? this.#last)
        : name === 'other'
          ? nodes.find((node) => !isOwner(node))
          : nodes.find(({ machine }) => machine === name);
    if (!found) throw new Error(`there is no node "${name}"`);
    if (name === 'owner') this.#last ??= found;
    return name === 'owner' ? (this.#last as SimNode) : found;
  }

  /** Who `owner` meant first: it stays the same machine for the whole story. */
  #last: SimNode | undefined;

  #cut(machine: string, place: string, ways: 'one way' | 'both ways' = 'both ways'): void {
    const { network } = this.#world;
    const mends = [network.cut(machine, place)];
    if (ways === 'both ways') mends.push(network.cut(place, machine));
    this.#mends.set(`${machine} ${place}`, mends);
  }

  #mend(machine: string, place: string): void {
    for (const mend of this.#mends.get(`${machine} ${place}`) ?? []) mend(true);
  }
}

function parse(text: string): Script {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean);
  const at = lines.indexOf('expect');
  const steps = lines.slice(0, at).flatMap((line) => {
    const match = /^at ([\d.]+)s (.+)$/.exec(line);
    if (!match) return [];
    return [{ atMs: Number(match[1]) * 1_000, words: (match[2] ?? '').split(/\s+/) }];
  });
  const nodes = Number(lines.find((line) => line.startsWith('nodes '))?.slice(6) ?? 3);
  const [twins, slow] = [lines.includes('twins'), lines.includes('slow takeover')];
  return { nodes, twins, fastTakeover: !slow, steps, expected: lines.slice(at + 1) };
}

function firstMissing(expected: readonly string[], events: readonly HistoryEvent[]): string | null {
  const bound = new Map<string, string>();
  let at = 0;
  for (const line of expected) {
    const [, by, told = line] = /^by ([\d.]+)s (.+)$/.exec(line) ?? [];
    const untilMs = by === undefined ? Number.POSITIVE_INFINITY : Number(by) * 1_000;
    const [name, ...fields] = told.split(/\s+/);
    const found = events.findIndex((event, index) => {
      if (index < at || event.ev !== name || event.atMs > untilMs) return false;
      return fields.every((field) => fits(event, field, bound));
    });
    if (found < 0) {
      const next = events
        .slice(at)
        .filter(({ ev }) => ev === name)
        .slice(0, 3);
      return `${line}; bound: ${JSON.stringify([...bound])}; there were ${JSON.stringify(next)}`;
    }
    for (const field of fields) bind(events[found] as HistoryEvent, field, bound);
    at = found + 1;
  }
  return null;
}

function fits(event: HistoryEvent, field: string, bound: ReadonlyMap<string, string>): boolean {
  const [key = '', wanted = ''] = field.split('=');
  const value = String((event as unknown as Record<string, unknown>)[key]);
  if (!wanted.startsWith('$')) return value === wanted;
  const known = bound.get(wanted);
  if (known !== undefined) return known === value;
  // Two names are two things.
  return ![...bound].some(([name, other]) => name[1] === wanted[1] && other === value);
}

function bind(event: HistoryEvent, field: string, bound: Map<string, string>): void {
  const [key = '', wanted = ''] = field.split('=');
  if (wanted.startsWith('$') && !bound.has(wanted)) {
    bound.set(wanted, String((event as unknown as Record<string, unknown>)[key]));
  }
}
