import type { CommandFactory, Impact } from './command-definition.ts';

/** One top-level command, as `backplane --help` lists it, and how to load it. */
export interface CommandEntry {
  readonly name: string;
  /** Must be the summary of the loaded command; a test compares them. */
  readonly summary: string;
  readonly heading: string;
  readonly impact: Impact;
  readonly load: () => Promise<CommandFactory>;
}

const act = 'Run and act';
const tool = 'The tool itself';

/** Every command of the tool, in the order of the help. Nothing here loads a command. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'serve',
    summary: 'run a node',
    heading: act,
    impact: 'rw',
    load: async () => (await import('./commands/serve.ts')).serveCommand,
  },
  {
    name: 'broker',
    summary: 'run only the embedded broker',
    heading: act,
    impact: 'rw',
    load: async () => (await import('./commands/broker.ts')).brokerCommand,
  },
  {
    name: 'help',
    summary: 'explain a command, an error code or a topic',
    heading: tool,
    impact: 'ro',
    load: async () => (await import('./commands/help.ts')).helpCommand,
  },
  {
    name: 'version',
    summary: 'print the version',
    heading: tool,
    impact: 'ro',
    load: async () => (await import('./commands/version.ts')).versionCommand,
  },
];

/** Commands that only scripts call. */
export const hiddenCommands: readonly CommandEntry[] = [];
