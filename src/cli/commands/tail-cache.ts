import { checkCacheRegion } from '../../foundation/identifiers.ts';
import { type CacheLine, followCaches } from '../../operations/inspect/follow-caches.ts';
import type { CommandContext } from '../context.ts';
import type { StreamShape } from '../output/line-stream.ts';
import type { Line } from '../output/styled-text.ts';
import type { StreamEnd } from '../stream-end.ts';

const shape: StreamShape<CacheLine> = {
  noun: 'lines',
  asLines: (line) => [asLine(line)],
  keys: [
    'type',
    'region',
    'scope',
    'key',
    'nodeId',
    'publisher',
    'sequence',
    'stamp',
    'missed',
    'at',
  ],
};

/** `tail --cache`: evictions of some regions, or of all. True when `--count` or `--until` ended it. */
export async function tailCaches(
  context: CommandContext,
  regions: readonly string[],
  end: StreamEnd,
): Promise<boolean> {
  const names = [...new Set(regions.map(checkCacheRegion))];
  const { sessions, cacheRecords } = await context.engine();
  const visitor = await context.visitor();
  const { clock, print, settings } = context;
  const parts = { sessions, cacheRecords, visitor, clock };
  const following = { signal: end.signal, outageMsMax: settings.timeoutMs };
  const stream = print.stream(shape);
  let reached = false;
  for await (const line of followCaches(parts, names, following)) {
    if (end.signal.aborted) break;
    await stream.write(line);
    if (end.saw(line)) {
      reached = true;
      break;
    }
  }
  await stream.end();
  return reached;
}

function asLine(line: CacheLine): Line {
  const time = { text: line.at?.slice(11, 23) ?? '-', style: 'dim' } as const;
  const start: Line = [time, '  ', { text: line.region, style: 'bold' }, '  '];
  if (line.type === 'gap') {
    return [...start, { text: `${line.missed} evictions were not seen here`, style: 'bad' }];
  }
  const what = line.scope === 'region' ? 'everything' : line.key;
  const star = line.scope === 'prefix' ? '*' : '';
  return [
    ...start,
    `eviction ${line.stamp}  ${what}${star}  `,
    { text: `by ${line.nodeId}, its ${line.sequence}`, style: 'dim' },
  ];
}
