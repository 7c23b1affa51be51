import { BackplaneError } from '../foundation/errors.ts';
import type { ClientPlace, EvidenceTarget } from '../operations/diagnose/evidence.ts';
import type { EvidenceSources, GatherOptions } from '../operations/diagnose/gather-evidence.ts';
import type { CommandContext } from './context.ts';
import type { SettingName, Settings } from './settings.ts';

const patienceMs = 3_000;
const pageBytesMax = 65_536;

/** The doors of a command, as those who gather evidence want them. */
export function evidenceSources(
  context: CommandContext,
  clients: readonly string[],
): EvidenceSources {
  const { clock, world, settings, logger } = context;
  return {
    clock,
    examineBroker: () => world.doors.examineBroker(settings, logger),
    engine: () => context.engine(),
    visitor: () => context.visitor(),
    places: () => Promise.all(clients.map((address) => whoIsAt(context, address))),
  };
}

export function gatherOptions(context: CommandContext): GatherOptions {
  const { settings, signal, world } = context;
  return {
    takenBy: `backplane ${world.about.version}`,
    target: targetOf(settings),
    signal,
    patienceMs: Math.min(settings.timeoutMs, patienceMs),
  };
}

/** With the flags that lead there, but for a URL that holds a secret. */
export function targetOf(settings: Settings): EvidenceTarget {
  const { engineUrl, storeUrl, prefix, origins } = settings;
  const holdsSecret =
    engineUrl.kind === 'redis' &&
    (engineUrl.address.password !== null || engineUrl.address.username !== null);
  const given: readonly (readonly [SettingName, string, string | null])[] = [
    ['context', '--context', settings.contextName],
    ['url', '--url', holdsSecret ? null : engineUrl.text],
    ['prefix', '--prefix', prefix],
    ['dataDir', '--data-dir', settings.dataDir],
    ['brokerPort', '--broker-port', String(settings.brokerPort)],
  ];
  const flags = given.flatMap(([name, flag, value]) => {
    return origins[name].from === 'flag' && value !== null ? [flag, value] : [];
  });
  return { url: engineUrl.text, store: storeUrl?.text ?? null, prefix, flags };
}

/** Reads `http://HOST:PORT`. Throws URL_INVALID. */
export function parseClientAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && /^(https?|wss?):$/.test(url.protocol) && url.username === '') {
    return `${url.protocol.replace('ws', 'http')}//${url.host}`;
  }
  throw new BackplaneError('URL_INVALID', 'a client connects to http://HOST:PORT', {
    remedy: 'give the address of the node as clients have it: --client http://127.0.0.1:7420',
  });
}

/** The card that every node shows at the root of its gateway. */
async function whoIsAt({ clock }: CommandContext, address: string): Promise<ClientPlace> {
  const giveUp = new AbortController();
  const timer = clock.after(patienceMs, () => giveUp.abort());
  try {
    const response = await fetch(`${address}/`, { signal: giveUp.signal, redirect: 'error' });
    const text = (await response.text()).slice(0, pageBytesMax);
    const card = JSON.parse(text) as { nodeId?: unknown; session?: unknown };
    if (typeof card.nodeId !== 'string') return notThere(address, 'it shows no card of a node');
    const session = typeof card.session === 'string' ? card.session : null;
    return { address, nodeId: card.nodeId, session, error: null };
  } catch (error) {
    const cause = (error as { cause?: { code?: unknown } }).cause?.code;
    return notThere(
      address,
      typeof cause === 'string' ? cause : 'it did not answer as a node does',
    );
  } finally {
    timer.cancel();
  }
}

function notThere(address: string, error: string): ClientPlace {
  return { address, nodeId: null, session: null, error };
}
