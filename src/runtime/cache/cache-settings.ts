import { formatDuration } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { checkCacheRegion } from '../../foundation/identifiers.ts';
import { cacheDials, cacheLimits } from '../../foundation/limits.ts';
import { parsePlainJson } from '../../foundation/plain-json.ts';
import type { CacheOptions, WhenCut } from './cache.ts';

/** The options of a region, checked and complete. */
export interface CacheSettings {
  readonly region: string;
  readonly entriesMax: number;
  readonly ttlMs: number;
  /** Null: nothing is shared. */
  readonly sharedTtlMs: number | null;
  readonly stalenessMs: number;
  readonly whenCut: WhenCut;
  readonly encode: (value: unknown) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}

const whenCutChoices: readonly WhenCut[] = ['bypass', 'fail', 'serve'];

/** Throws CONFIG_INVALID, NAME_INVALID. */
export function checkCacheOptions<Value>(options: CacheOptions<Value>): CacheSettings {
  const { entriesMax = cacheDials.entries, ttlMs = cacheDials.ttlMs, l2 = false } = options;
  const { stalenessMs = cacheDials.stalenessMs, whenCut = 'bypass', encode, decode } = options;
  const region = checkCacheRegion(options.region);
  if (!Number.isSafeInteger(entriesMax) || entriesMax < 1 || entriesMax > cacheLimits.entriesMax) {
    refuse(region, `keeps 1 to ${cacheLimits.entriesMax} values, not ${entriesMax}`);
  }
  const sharedTtlMs = l2 ? (l2.ttlMs ?? ttlMs) : null;
  for (const given of [ttlMs, sharedTtlMs ?? ttlMs]) {
    if (Number.isFinite(given) && given > 0 && given <= cacheLimits.ttlMsMax) continue;
    refuse(
      region,
      `keeps values for up to ${formatDuration(cacheLimits.ttlMsMax)}, not ${given} ms`,
    );
  }
  if (!Number.isFinite(stalenessMs) || stalenessMs < cacheLimits.stalenessMsMin) {
    refuse(region, `may be stale for at least ${formatDuration(cacheLimits.stalenessMsMin)}`);
  }
  if (!whenCutChoices.includes(whenCut)) refuse(region, `has whenCut ${whenCutChoices.join(', ')}`);
  if ((encode === undefined) !== (decode === undefined)) refuse(region, 'has encode and decode');
  return {
    ...{ region, entriesMax, ttlMs, sharedTtlMs, stalenessMs, whenCut },
    encode: (encode as CacheSettings['encode'] | undefined) ?? asJson,
    decode: decode ?? fromJson,
  };
}

function refuse(region: string, claim: string): never {
  throw new BackplaneError('CONFIG_INVALID', `the cache region "${region}" ${claim}`, {
    remedy: 'see "Caches" in the README',
  });
}

function asJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value);
  if (text === undefined) throw new BackplaneError('PAYLOAD_INVALID', 'the value is not JSON');
  return Buffer.from(text);
}

/** Others may write to the broker: what poisons prototypes is no value. */
function fromJson(bytes: Uint8Array): unknown {
  return parsePlainJson(Buffer.from(bytes).toString('utf8'), 'the shared value');
}
