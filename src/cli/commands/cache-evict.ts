import { BackplaneError } from '../../foundation/errors.ts';
import { checkCacheKey, checkCacheRegion } from '../../foundation/identifiers.ts';
import { type CacheEvictReport, evictCache } from '../../operations/act/evict-cache.ts';
import type { CacheScope } from '../../ports/cache-records.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { Line } from '../output/styled-text.ts';
import { flag, option, optional } from '../parameters.ts';

/** The region of a cache, for every command that takes one. */
export const regionOption = option('--region <REGION>', 'the cache region', checkCacheRegion, {
  completes: 'region',
});

/** Evicts on every node. */
export function cacheEvictCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'evict',
    summary: 'evict a key, a prefix, a region or everything, on every node',
    description: [
      'When it has ended, every node that hears the backplane has dropped the values, and so has the backplane; a node that does not hear it serves them no longer than the staleness bound of the region.',
      'Evicting what nobody holds is no error. Exits 4 when no node has the region, 6 when no node is alive.',
    ],
    impact: 'rw',
    output: 'report',
    arguments: {
      key: optional('the key, or with --by-prefix what keys begin with', { parse: checkCacheKey }),
    },
    options: {
      region: regionOption,
      // --prefix is that of all keys in the backplane, for every command.
      byPrefix: flag('--by-prefix', 'every key that begins with KEY'),
      all: flag('--all', 'the whole region; without --region, every region'),
    },
    examples: [
      { run: 'backplane cache evict user:42 --region users', shows: 'one key' },
      {
        run: 'backplane cache evict user: --region users --by-prefix',
        shows: 'keys that begin so',
      },
      { run: 'backplane cache evict --region users --all', shows: 'the whole region' },
    ],
    action: async ({ key }, { region, byPrefix, all }) => {
      const scope = scopeOf(key, byPrefix, all);
      if (region === undefined && scope.kind !== 'region') throw incomplete();
      const { sessions, cacheRecords } = await context.engine();
      const visitor = await context.visitor();
      const door = { sessions, cacheRecords, visitor };
      const { timeoutMs } = context.settings;
      const { signal } = context;
      const regions = region === undefined ? 'all' : [region];
      const report = await evictCache(door, regions, scope, { timeoutMs, signal });
      await context.print.report(report, asLines);
    },
  });
}

function scopeOf(key: string | undefined, byPrefix: boolean, all: boolean): CacheScope {
  if (all === (key !== undefined) || (byPrefix && key === undefined)) throw incomplete();
  if (key === undefined) return { kind: 'region' };
  return byPrefix ? { kind: 'prefix', prefix: key } : { kind: 'key', key };
}

function incomplete(): BackplaneError {
  return new BackplaneError('USAGE', 'cache evict needs a KEY and --region, or --all', {
    remedy: 'backplane cache evict KEY --region REGION',
  });
}

function asLines({ evictions }: CacheEvictReport): Line[] {
  if (evictions.length === 0) return ['no cache region'];
  return evictions.map(({ region, scope, key, stamp }) => {
    const what = scope === 'region' ? 'everything' : scope === 'key' ? key : `${key}*`;
    return [{ text: region, style: 'bold' }, `: evicted ${what}, eviction ${stamp} of the region`];
  });
}
