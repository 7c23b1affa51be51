import type { SessionRecord } from '../../ports/sessions.ts';
import type { Recordable } from './history-recorder.ts';

/** Tells what became of sessions from one look at all of them to the next. */
export class SessionDiary {
  readonly #record: (event: Recordable) => void;
  readonly #nodeOf = new Map<string, string>();
  readonly #known = new Set<string>();

  constructor(record: (event: Recordable) => void) {
    this.#record = record;
  }

  note(sessions: readonly SessionRecord[]): void {
    for (const { id, state, cause, description } of sessions) {
      const { nodeId } = description;
      if (state === 'live' && !this.#nodeOf.has(id)) {
        if (!this.#known.has(nodeId)) this.#record({ ev: 'node.up', nodeId });
        this.#known.add(nodeId);
        this.#nodeOf.set(id, nodeId);
        this.#record({ ev: 'session.open', session: id, nodeId });
      } else if (state === 'dead' && this.#nodeOf.delete(id)) {
        this.#record({ ev: 'session.gone', session: id });
        // It stopped, and is not meant to live before it is started again.
        if (cause === 'left' && this.#known.delete(nodeId)) {
          this.#record({ ev: 'node.down', nodeId });
        }
      }
    }
  }
}
