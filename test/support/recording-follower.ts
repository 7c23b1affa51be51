import type {
  AwarenessChange,
  FollowedOp,
  Follower,
  OwnerChange,
} from '../../src/runtime/reports.ts';

/** Writes down what a follower is told. */
export class RecordingFollower implements Follower {
  readonly seen: FollowedOp[] = [];
  readonly changes: AwarenessChange[] = [];
  readonly owners: OwnerChange[] = [];
  readonly errors: Error[] = [];

  ops(ops: readonly FollowedOp[]): void {
    this.seen.push(...ops);
  }

  awareness(changes: readonly AwarenessChange[]): void {
    this.changes.push(...changes);
  }

  owner(change: OwnerChange): void {
    this.owners.push(change);
  }

  failed(error: Error): void {
    this.errors.push(error);
  }

  get seqs(): number[] {
    return this.seen.map(({ seq }) => seq);
  }

  get texts(): string[] {
    return this.seen.map(({ payload }) => Buffer.from(payload).toString('utf8'));
  }

  /** The latest state of a peer as text; null when it went, undefined when nothing was heard. */
  awarenessOf(peer: string): string | null | undefined {
    const last = this.changes.findLast((change) => change.peer === peer);
    return last && (last.state === null ? null : Buffer.from(last.state).toString('utf8'));
  }
}
