import type { CommandFactory } from './command-definition.ts';

/** One top-level command, as `backplane --help` lists it, and how to load it. */
export interface CommandEntry {
  readonly name: string;
  /** Must be the summary of the loaded command; a test compares them. */
  readonly summary: string;
  readonly heading: string;
  readonly load: () => Promise<CommandFactory>;
}

const run = 'Run:';
const look = 'Look:';
const act = 'Act:';
const prove = 'Prove:';
const tool = 'About the tool:';

/** Every command of the tool, in the order of the help. Nothing here loads a command. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'serve',
    summary: 'run a node',
    heading: run,
    load: async () => (await import('./commands/serve.ts')).serveCommand,
  },
  {
    name: 'broker',
    summary: 'run only the embedded broker',
    heading: run,
    load: async () => (await import('./commands/broker.ts')).brokerCommand,
  },
  {
    name: 'inspect',
    summary: 'look at nodes, leases, documents and channels',
    heading: look,
    load: async () => (await import('./commands/inspect.ts')).inspectCommand,
  },
  {
    name: 'tail',
    summary: 'follow documents live',
    heading: look,
    load: async () => (await import('./commands/tail.ts')).tailCommand,
  },
  {
    name: 'relay',
    summary: 'measure the way of relay frames between nodes',
    heading: look,
    load: async () => (await import('./commands/relay.ts')).relayCommand,
  },
  {
    name: 'doctor',
    summary: 'find what is wrong, and say how to mend it',
    heading: look,
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
  {
    name: 'top',
    summary: 'watch the whole cluster on one screen',
    heading: look,
    load: async () => (await import('./commands/top.ts')).topCommand,
  },
  {
    name: 'explain',
    summary: 'say why a document, node or user is as it is',
    heading: look,
    load: async () => (await import('./commands/explain.ts')).explainCommand,
  },
  {
    name: 'plan',
    summary: 'say how long a failure would take',
    heading: look,
    load: async () => (await import('./commands/plan.ts')).planCommand,
  },
  {
    name: 'check',
    summary: 'measure one thing, for monitoring',
    heading: look,
    load: async () => (await import('./commands/check.ts')).checkCommand,
  },
  {
    name: 'op',
    summary: 'submit an op to a document',
    heading: act,
    load: async () => (await import('./commands/op.ts')).opCommand,
  },
  {
    name: 'trace',
    summary: 'send one op, and show where it went and when',
    heading: act,
    load: async () => (await import('./commands/trace.ts')).traceCommand,
  },
  {
    name: 'rpc',
    summary: "call a method of a document's owner, of a node, or of all nodes",
    heading: act,
    load: async () => (await import('./commands/rpc.ts')).rpcCommand,
  },
  {
    name: 'send',
    summary: 'send a message to connections, on whatever node they are',
    heading: act,
    load: async () => (await import('./commands/send.ts')).sendCommand,
  },
  {
    name: 'invoke',
    summary: 'invoke a method of connections, and show what they answer',
    heading: act,
    load: async () => (await import('./commands/invoke.ts')).invokeCommand,
  },
  {
    name: 'conn',
    summary: 'kick a connection, or have it join or leave groups',
    heading: act,
    load: async () => (await import('./commands/conn.ts')).connCommand,
  },
  {
    name: 'cache',
    summary: "evict values from the nodes' caches, or compare what they hold",
    heading: act,
    load: async () => (await import('./commands/cache.ts')).cacheCommand,
  },
  {
    name: 'lease',
    summary: 'take part in ownership by hand',
    heading: act,
    load: async () => (await import('./commands/lease.ts')).leaseCommand,
  },
  {
    name: 'node',
    summary: 'drain a node, or evict a dead one',
    heading: act,
    load: async () => (await import('./commands/node.ts')).nodeCommand,
  },
  {
    name: 'fsck',
    summary: 'compare what the cluster keeps, and mend it',
    heading: act,
    load: async () => (await import('./commands/fsck.ts')).fsckCommand,
  },
  {
    name: 'drill',
    summary: 'rehearse failures, and give a verdict',
    heading: prove,
    load: async () => (await import('./commands/drill.ts')).drillCommand,
  },
  {
    name: 'sim',
    summary: 'run the runtime in a virtual, hostile world',
    heading: prove,
    load: async () => (await import('./commands/sim.ts')).simCommand,
  },
  {
    name: 'bench',
    summary: 'measure a cluster: rate, latency, CPU',
    heading: prove,
    load: async () => (await import('./commands/bench.ts')).benchCommand,
  },
  {
    name: 'verify',
    summary: 'check a recorded history against the laws',
    heading: prove,
    load: async () => (await import('./commands/verify.ts')).verifyCommand,
  },
  {
    name: 'context',
    summary: 'name clusters, and choose one',
    heading: tool,
    load: async () => (await import('./commands/context.ts')).contextCommand,
  },
  {
    name: 'help',
    summary: 'explain a command, an error code or a topic',
    heading: tool,
    load: async () => (await import('./commands/help.ts')).helpCommand,
  },
  {
    name: 'man',
    summary: 'print a manual page, or write all of them',
    heading: tool,
    load: async () => (await import('./commands/man.ts')).manCommand,
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    heading: tool,
    load: async () => (await import('./commands/completion.ts')).completionCommand,
  },
  {
    name: 'version',
    summary: 'print the version',
    heading: tool,
    load: async () => (await import('./commands/version.ts')).versionCommand,
  },
];

/** Commands that only scripts call. */
export const hiddenCommands: readonly CommandEntry[] = [
  {
    name: '__complete',
    summary: 'answer a completion script',
    heading: tool,
    load: async () => (await import('./commands/complete.ts')).completeCommand,
  },
];
