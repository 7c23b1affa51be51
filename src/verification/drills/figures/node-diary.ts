import type { HistoryEvent } from '../../history-event.ts';
import { entryOf } from '../../law.ts';
import type { NodeLane } from './run-series.ts';
import { SpanLane } from './span-lane.ts';

interface Life {
  readonly up: SpanLane;
  readonly member: SpanLane;
  readonly sessions: Set<string>;
}

/** Which nodes ran and were members, and when; which session is whose. */
export class NodeDiary {
  readonly #lives = new Map<string, Life>();
  readonly #nodeOf = new Map<string, string>();

  observe(event: HistoryEvent): void {
    switch (event.ev) {
      case 'node.up':
        return this.#lifeOf(event.nodeId).up.begin(event.atMs);
      case 'node.down':
        return this.#down(event.nodeId, event.atMs);
      case 'session.open':
        return this.#opened(event.session, event.nodeId, event.atMs);
      case 'session.gone':
        if (event.certainty !== 'indefinite') this.#gone(event.session, event.atMs);
        return;
      default:
        return;
    }
  }

  nodeIds(): string[] {
    return [...this.#lives.keys()];
  }

  /** The node of a session; of one that nobody told of, the session itself. */
  nodeOf(session: string): string {
    return this.#nodeOf.get(session) ?? session;
  }

  /** The sessions of a node that are not gone. */
  sessionsOf(nodeId: string): string[] {
    return [...(this.#lives.get(nodeId)?.sessions ?? [])];
  }

  /** With times since a start. */
  lane(nodeId: string, startMs: number): NodeLane {
    const life = this.#lives.get(nodeId);
    return {
      nodeId,
      up: life?.up.spans(startMs) ?? [],
      member: life?.member.spans(startMs) ?? [],
    };
  }

  #down(nodeId: string, atMs: number): void {
    const life = this.#lifeOf(nodeId);
    life.up.end(atMs);
    life.member.endAll(atMs);
    life.sessions.clear();
  }

  #opened(session: string, nodeId: string, atMs: number): void {
    const life = this.#lifeOf(nodeId);
    this.#nodeOf.set(session, nodeId);
    if (life.sessions.has(session)) return;
    life.sessions.add(session);
    life.member.begin(atMs);
  }

  #gone(session: string, atMs: number): void {
    const life = this.#lives.get(this.nodeOf(session));
    if (life?.sessions.delete(session)) life.member.end(atMs);
  }

  #lifeOf(nodeId: string): Life {
    return entryOf(this.#lives, nodeId, () => ({
      ...{ up: new SpanLane(), member: new SpanLane(), sessions: new Set<string>() },
    }));
  }
}
