import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import { contextFile, readContextBook } from '../contexts/context-book.ts';
import type { Column } from '../output/column.ts';

interface ContextRow {
  readonly name: string;
  readonly current: boolean;
  readonly url: string;
  readonly store: string | null;
  readonly prefix: string | null;
  /** Where the secrets are; none of them is here. */
  readonly urlPassword: string | null;
  readonly token: string | null;
}

const columns: readonly Column<ContextRow>[] = [
  { key: 'current', header: '', text: ({ current }) => (current ? '*' : ' ') },
  { key: 'name', header: 'NAME', style: ({ current }) => (current ? 'bold' : null) },
  { key: 'url', header: 'URL' },
  { key: 'store', header: 'STORE' },
  { key: 'prefix', header: 'PREFIX' },
  { key: 'urlPassword', header: 'PASSWORD FROM', wide: true },
  { key: 'token', header: 'TOKEN FROM', wide: true },
];

/** Lists the named clusters. */
export function contextLsCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'ls',
    summary: 'list the named clusters',
    description: ['Lists the contexts; the one in use has a star. Asks no cluster.'],
    impact: 'ro',
    output: 'listing',
    opensNothing: true,
    examples: [
      { run: 'backplane context ls', shows: 'the names there are' },
      { run: 'backplane context ls -o wide', shows: 'and where their secrets are' },
    ],
    action: async () => {
      const { environment, home } = context.world;
      const { contexts } = readContextBook(contextFile(environment, home));
      const { contextName } = context.settings;
      const rows = Object.entries(contexts).map(([name, each]) => ({
        name,
        current: name === contextName,
        url: each.url ?? 'embedded',
        store: each.store ?? null,
        prefix: each.prefix ?? null,
        urlPassword: each.urlPassword ?? null,
        token: each.token ?? null,
      }));
      await context.print.listing({ noun: 'contexts', columns, rows, empty: 'no contexts' });
    },
  });
}
