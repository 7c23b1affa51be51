import { BackplaneError } from '../../foundation/errors.ts';
import { checkRowFilter } from '../../foundation/row-mention.ts';
import type { Relay } from './relay.ts';

type Params = Readonly<Record<string, unknown>>;

const pingsMax = 1_000;
const pingMs = 2_000;

/** What operators can ask of a node's relay (`runtime/controls.ts`). */
export function relayControls(relay: () => Relay) {
  return {
    'relay.list': async (params: Params) => {
      const known = only(params, ['workspace', 'after', 'filter']);
      const { workspace = null, after = null } = known;
      const filter = checkRowFilter(known.filter);
      return relay().page(textOrNull(workspace), textOrNull(after), filter);
    },
    'relay.ping': async (params: Params) => {
      const { session, count } = only(params, ['session', 'count']);
      if (typeof session !== 'string' || !isCount(count)) {
        throw new BackplaneError('REQUEST_INVALID', `"count" is a number from 1 to ${pingsMax}`);
      }
      const latenciesMs: number[] = [];
      while (latenciesMs.length < count) latenciesMs.push(await relay().ping(session, pingMs));
      return { latenciesMs };
    },
    'relay.redirect': async (params: Params) => {
      const { publicUrl, workspace } = only(params, ['publicUrl', 'workspace']);
      if (typeof publicUrl !== 'string' || typeof workspace !== 'string') {
        throw new BackplaneError('REQUEST_INVALID', '"publicUrl" and "workspace" are texts');
      }
      return { url: relay().redirectUrl(publicUrl, workspace) };
    },
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= pingsMax;
}

function textOrNull(value: unknown): string | null {
  if (value === null || typeof value === 'string') return value;
  throw new BackplaneError('REQUEST_INVALID', 'a name is text or null');
}

function only(params: Params, known: readonly string[]): Params {
  for (const key of Object.keys(params)) {
    if (known.includes(key)) continue;
    throw new BackplaneError('REQUEST_INVALID', `unknown parameter ${JSON.stringify(key)}`);
  }
  return params;
}
