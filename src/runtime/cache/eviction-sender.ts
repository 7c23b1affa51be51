import { BackplaneError } from '../../foundation/errors.ts';
import {
  type CacheRecords,
  type CacheScope,
  type CacheStamp,
  evictionTrailerBytes,
} from '../../ports/cache-records.ts';
import type { Random } from '../../ports/random.ts';
import { cacheChannel } from '../channels.ts';
import type { CacheFrame, Frame } from '../frames.ts';

export interface EvictionSenderParts {
  readonly nodeId: string;
  readonly records: CacheRecords;
  readonly random: Random;
  /** A frame as bytes; null while the node has no cluster. */
  encode(): ((frame: Frame) => Uint8Array) | null;
}

/** Evicts for everybody: one step in the broker counts, remembers and announces. */
export class EvictionSender {
  #publisher: string | null = null;
  readonly #parts: EvictionSenderParts;
  readonly #sequences = new Map<string, number>();

  constructor(parts: EvictionSenderParts) {
    this.#parts = parts;
  }

  /** Whether it was announced by this node, in this life of it. */
  isOwn(frame: CacheFrame): boolean {
    return frame.publisher === this.#publisher;
  }

  drawToken(): string {
    return this.#parts.random.token(10).slice(0, 16);
  }

  /** With `seen`, only if that is the stamp still; null when it is not. */
  async send(
    region: string,
    scope: CacheScope,
    seen: CacheStamp | null = null,
  ): Promise<CacheStamp | null> {
    const encode = this.#parts.encode();
    if (!encode) throw new BackplaneError('CLOSED', 'the node is not running');
    const token = this.drawToken();
    const sequence = (this.#sequences.get(region) ?? 0) + 1;
    this.#sequences.set(region, sequence);
    this.#publisher ??= this.drawToken();
    const { nodeId, records } = this.#parts;
    const frame: CacheFrame = {
      ...{ kind: 'cache', region, nodeId, publisher: this.#publisher, sequence, token },
      ...{ scope: scope.kind, subject: subjectOf(scope) },
      payload: new Uint8Array(evictionTrailerBytes),
    };
    // The broker puts the stamp in the place of the payload.
    const announcement = encode(frame).subarray(0, -evictionTrailerBytes);
    const channel = cacheChannel(region);
    const answer = await records.evict({ region, scope, token, seen, channel, announcement });
    return answer.status === 'evicted' ? answer.stamp : null;
  }
}

function subjectOf(scope: CacheScope): string {
  if (scope.kind === 'region') return '';
  return scope.kind === 'key' ? scope.key : scope.prefix;
}

export function scopeOf({ scope, subject }: Pick<CacheFrame, 'scope' | 'subject'>): CacheScope {
  if (scope === 'region') return { kind: 'region' };
  return scope === 'key' ? { kind: 'key', key: subject } : { kind: 'prefix', prefix: subject };
}
