import { parseDurationMs } from '../foundation/duration.ts';
import type { NamedOption, OptionDefinition } from './command-definition.ts';
import { flag, option } from './parameters.ts';
import { anyText, oneOf, parsePort } from './parse-values.ts';

export const outputFormats = ['table', 'wide', 'json', 'jsonl', 'csv', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export const colorChoices = ['auto', 'always', 'never'] as const;
export type ColorChoice = (typeof colorChoices)[number];

/** The options every command has. `settings.ts` resolves them; none of them takes a secret. */
export const globalOptions = {
  context: option('--context <NAME>', 'the named cluster: backplane context ls', anyText, {
    env: 'BACKPLANE_CONTEXT',
    fallbackText: 'the one in use',
    completes: 'context',
  }),
  url: option('--url <URL>', 'the backplane; its scheme chooses the engine', anyText, {
    env: 'BACKPLANE_URL',
  }),
  store: option('--store <URL>', 'where op logs live: memory:, sqlite:PATH or redis:', anyText, {
    env: 'BACKPLANE_STORE',
  }),
  prefix: option('--prefix <TEXT>', 'the key prefix of the cluster', anyText, {
    env: 'BACKPLANE_PREFIX',
    fallbackText: 'backplane:',
  }),
  dataDir: option('--data-dir <DIR>', 'the data folder', anyText, {
    env: 'BACKPLANE_DATA_DIR',
    fallbackText: 'the XDG data folder',
    completes: 'file',
  }),
  brokerPort: option('--broker-port <PORT>', 'the port of the embedded broker', parsePort, {
    env: 'BACKPLANE_BROKER_PORT',
    fallbackText: '7421',
  }),
  tokenFile: option('--token-file <FILE>', 'a file with the token, as BACKPLANE_TOKEN', anyText, {
    completes: 'file',
  }),
  timeout: option('--timeout <DURATION>', 'give up a request after this long', parseDurationMs, {
    env: 'BACKPLANE_TIMEOUT',
    fallbackText: '15s',
  }),
  output: option('-o, --output <FORMAT>', outputFormats.join(', '), parseOutputFormat, {
    fallbackText: 'table',
    completes: outputFormats,
  }),
  color: option('--color <WHEN>', 'auto, always or never', oneOf(...colorChoices), {
    fallbackText: 'auto',
    completes: colorChoices,
  }),
  debug: flag('--debug', 'print the stack of an error, and what happens on the way'),
} as const satisfies Record<string, OptionDefinition<unknown>>;

export const globalOptionList: readonly NamedOption[] = Object.entries(globalOptions).map(
  ([name, each]) => ({ ...each, name }),
);

/** `text` is what people call a table that has no rows. */
function parseOutputFormat(text: string): OutputFormat {
  return text === 'text' ? 'table' : oneOf(...outputFormats)(text);
}

/** The format a command line asks for, even one that does not parse: errors follow it too. */
export function outputFormatIn(args: readonly string[]): OutputFormat | null {
  const joined = args.join('\n');
  const word = /^(?:-o|--output)[=\n]?(\w+)$/m.exec(joined)?.[1];
  return outputFormats.find((format) => format === word) ?? null;
}
