import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import {
  contextFile,
  contextNamed,
  type NamedContext,
  readContextBook,
} from '../contexts/context-book.ts';
import type { Origin } from '../option-values.ts';
import type { Column } from '../output/column.ts';
import { flag, optional } from '../parameters.ts';
import { resolveSettings, type SettingName, type Settings } from '../settings.ts';

interface SettingRow {
  readonly setting: string;
  readonly value: string | null;
  readonly from: Origin['from'];
  /** The flag, variable or context it came from; null for a default. */
  readonly name: string | null;
}

const columns: readonly Column<SettingRow>[] = [
  { key: 'setting', header: 'SETTING' },
  { key: 'value', header: 'VALUE' },
  { key: 'from', header: 'FROM' },
  { key: 'name', header: 'NAME' },
];

/** Shows what the settings come to. */
export function contextShowCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'show',
    summary: 'show what the settings come to, and where from',
    description: [
      'Shows the settings that a command would run with, or would run with in another context. --origin says of each whether a flag, a variable, the context or the default decided. Of a secret it says where it is.',
    ],
    impact: 'ro',
    output: 'listing',
    opensNothing: true,
    arguments: { name: optional('another context than the one in use', { completes: 'context' }) },
    options: { origin: flag('--origin', 'where each value comes from') },
    examples: [
      { run: 'backplane context show --origin', shows: 'which cluster, and who said so' },
      { run: 'backplane context show prod', shows: 'what prod would come to' },
    ],
    action: async ({ name }, { origin }) => {
      const rows = rowsOf(context, name);
      const shown = origin ? columns : columns.slice(0, 2);
      await context.print.listing({ noun: 'settings', columns: shown, rows });
    },
  });
}

function rowsOf(context: CommandContext, name: string | undefined): SettingRow[] {
  const { environment, home } = context.world;
  const book = readContextBook(contextFile(environment, home));
  const settings =
    name === undefined
      ? context.settings
      : resolveSettings({ context: name }, environment, home, true);
  const { contextName } = settings;
  const chosen = contextName === null ? null : contextNamed(book, contextName);
  const chosenBy: SettingRow = {
    setting: 'context',
    value: contextName,
    ...(contextName !== null && settings.origins.context.from === 'default'
      ? { from: 'context', name: 'in use' }
      : settings.origins.context),
  };
  return [
    chosenBy,
    ...plainRows(settings),
    passwordRow(settings, chosen, contextName),
    tokenRow(context, settings, chosen),
  ];
}

function plainRows(settings: Settings): SettingRow[] {
  const values: readonly (readonly [SettingName, string | null])[] = [
    ['url', settings.engineUrl.text],
    ['store', settings.storeUrl?.text ?? null],
    ['prefix', settings.prefix],
    ['dataDir', settings.dataDir],
    ['brokerPort', String(settings.brokerPort)],
    ['timeout', `${settings.timeoutMs}ms`],
    ['output', settings.output],
    ['color', settings.color],
  ];
  return values.map(([setting, value]) => ({ setting, value, ...settings.origins[setting] }));
}

function passwordRow(
  { origins, engineUrl }: Settings,
  chosen: NamedContext | null,
  contextName: string | null,
): SettingRow {
  const setting = 'urlPassword';
  const isOfContext = origins.url.from === 'context' && chosen?.urlPassword !== undefined;
  if (isOfContext) {
    return { setting, value: chosen.urlPassword ?? null, from: 'context', name: contextName };
  }
  const isGiven = engineUrl.kind === 'redis' && engineUrl.address.password !== null;
  return { setting, value: isGiven ? '***' : null, ...origins.url };
}

function tokenRow(
  { world }: CommandContext,
  { origins, contextName }: Settings,
  chosen: NamedContext | null,
): SettingRow {
  const setting = 'token';
  if (origins.tokenFile.from === 'flag') {
    return { setting, value: 'file', from: 'flag', name: '--token-file' };
  }
  if (world.environment.BACKPLANE_TOKEN) {
    return { setting, value: '***', from: 'environment', name: 'BACKPLANE_TOKEN' };
  }
  if (chosen?.token === undefined) return { setting, value: null, from: 'default', name: null };
  return { setting, value: chosen.token, from: 'context', name: contextName };
}
