import { asBackplaneError, BackplaneError } from '../../../foundation/errors.ts';
import { parsePlainJson } from '../../../foundation/plain-json.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Engine } from '../../../ports/engine.ts';
import type { Visitor } from '../../../runtime/visitor.ts';
import type { HistoryRecorder } from '../history-recorder.ts';

export interface PresenceViewsParts {
  readonly hubs: readonly string[];
  readonly engine: Pick<Engine, 'sessions' | 'registry'>;
  readonly visitor: Pick<Visitor, 'control'>;
  readonly recorder: Pick<HistoryRecorder, 'record'>;
  readonly clock: Clock;
}

/** The groups of each connection. */
type Seen = Record<string, readonly string[]>;

/** Records who is connected, as every node sees it, and as the broker has it. */
export class PresenceViews {
  readonly #parts: PresenceViewsParts;
  #sessions: readonly string[] = [];

  constructor(parts: PresenceViewsParts) {
    this.#parts = parts;
  }

  /** Of the nodes that lived when it was looked last. */
  get sessions(): readonly string[] {
    return this.#sessions;
  }

  /** Answers who could not be asked. What takes longer than that is not recorded: it is old. */
  async record(timeoutMs: number): Promise<string[]> {
    const { engine, recorder, clock } = this.#parts;
    const untilMs = clock.monotonicMs() + timeoutMs;
    const living = (await engine.sessions.list()).filter(({ state }) => state === 'live');
    this.#sessions = living.map(({ id }) => id);
    const tell = async (viewer: string, seen: Promise<Seen>): Promise<string[]> => {
      try {
        const connections = await seen;
        if (clock.monotonicMs() > untilMs) return [`${viewer} says too late who is connected`];
        recorder.record({ ev: 'presence.view', viewer, connections });
        return [];
      } catch (error) {
        return [`${viewer} does not say who is connected: ${asBackplaneError(error).message}`];
      }
    };
    const nodes = living.map(({ id, description }) => {
      return tell(description.nodeId, this.#ofNode(id, timeoutMs));
    });
    return (await Promise.all([...nodes, tell('the broker', this.#ofBroker())])).flat();
  }

  async #ofNode(session: string, timeoutMs: number): Promise<Seen> {
    const seen: Seen = {};
    for (const hub of this.#parts.hubs) {
      let after: string | null = null;
      do {
        // Not fresh: what the node has heard is what is judged.
        const params = { what: 'connections', selector: { hub }, fresh: false, after };
        const options = { timeoutMs };
        const { visitor } = this.#parts;
        const answer = await visitor.control(session, 'presence.query', params, options);
        const { rows, next } = answer as { rows: unknown[]; next: string | null };
        for (const row of rows) {
          const { id } = row as { id: string };
          seen[id] = groupsOf(row);
        }
        after = next;
      } while (after !== null);
    }
    return seen;
  }

  async #ofBroker(): Promise<Seen> {
    const { registry } = this.#parts.engine;
    const seen: Seen = {};
    for (const hub of this.#parts.hubs) {
      for (const session of (await registry.versions(hub)).keys()) {
        let from: string | null = null;
        do {
          const page = await registry.read(session, hub, from);
          for (const { id, record } of page.records) seen[id] = groupsOf(parsePlainJson(record));
          from = page.next;
        } while (from !== null);
      }
    }
    return seen;
  }
}

function groupsOf(row: unknown): string[] {
  const { groups } = row as { groups?: unknown };
  if (Array.isArray(groups)) return groups.map(String);
  throw new BackplaneError('FRAME_INVALID', 'a connection has no list of groups');
}
