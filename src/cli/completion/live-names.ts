import { safeText } from '../../foundation/safe-text.ts';
import type { Engine } from '../../ports/engine.ts';

/** More would not help anybody who presses the tab key. */
const namesMax = 200;

/** The names of nodes, owned documents or cache regions that begin like this. Reads only. */
export async function liveNames(
  opening: Promise<Engine>,
  kind: 'doc' | 'node' | 'region',
  start: string,
): Promise<string[]> {
  const engine = await opening;
  if (kind === 'node') {
    const sessions = await engine.sessions.list();
    return offered(
      sessions.map(({ description }) => description.nodeId),
      start,
    );
  }
  if (kind === 'region') return offered(await engine.cacheRecords.regions(), start);
  const names: string[] = [];
  for await (const page of engine.inspector.leases()) {
    names.push(
      ...offered(
        page.map(({ doc }) => doc),
        start,
      ),
    );
    if (names.length >= namesMax) break;
  }
  return names.slice(0, namesMax);
}

/** Names with spaces or controls are left out: a shell would take them apart. */
function offered(names: readonly string[], start: string): string[] {
  return [...new Set(names)].filter(
    (name) => name.startsWith(start) && !/\s/.test(name) && safeText(name) === name,
  );
}
