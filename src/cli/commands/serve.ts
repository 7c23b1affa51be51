import { formatDuration, parseDurationMs } from '../../foundation/duration.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { checkNodeId } from '../../foundation/identifiers.ts';
import { dials } from '../../foundation/limits.ts';
import { checkAllowedHost, checkPublicUrl } from '../../foundation/public-url.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { HostedNode } from '../hosting.ts';
import { eventLines, type ServeEvent, ServeEvents } from '../output/serve-events.ts';
import { flag, option, optionWithDefault } from '../parameters.ts';
import { anyText, oneOf, parseCount, parsePort } from '../parse-values.ts';

const dial = (name: string, env: string, text: string, fallbackMs: number) =>
  optionWithDefault(`--${name} <DURATION>`, text, parseDurationMs, {
    env: `BACKPLANE_${env}`,
    fallback: fallbackMs,
    fallbackText: formatDuration(fallbackMs),
  });
const count = (name: string, env: string, text: string, fallback: number) =>
  optionWithDefault(`--${name} <N>`, text, parseCount, {
    env: `BACKPLANE_${env}`,
    fallback,
    fallbackText: String(fallback),
  });

/** The dials of a node as options; their names are those of `foundation/limits.ts`. */
const dialOptions = {
  leaseTtl: dial(
    'lease-ttl',
    'LEASE_TTL',
    'how long a session outlives its last beat',
    dials.leaseTtlMs,
  ),
  heartbeat: dial('heartbeat', 'HEARTBEAT', 'how often the session is renewed', dials.heartbeatMs),
  nodeTimeout: dial(
    'node-timeout',
    'NODE_TIMEOUT',
    'a node silent this long is given up',
    dials.nodeTimeoutMs,
  ),
  requestTimeout: dial(
    'request-timeout',
    'REQUEST_TIMEOUT',
    'how long a request may take',
    dials.requestTimeoutMs,
  ),
  awarenessTtl: dial(
    'awareness-ttl',
    'AWARENESS_TTL',
    'how long awareness outlives its node',
    dials.awarenessTtlMs,
  ),
  awarenessRate: count(
    'awareness-rate',
    'AWARENESS_RATE',
    'awareness broadcasts a second, per peer and document',
    dials.awarenessRatePerSecond,
  ),
  snapshotOps: count(
    'snapshot-ops',
    'SNAPSHOT_OPS',
    'snapshot a document after so many ops',
    dials.snapshotOps,
  ),
  snapshotInterval: dial(
    'snapshot-interval',
    'SNAPSHOT_INTERVAL',
    'or after this long',
    dials.snapshotMs,
  ),
  idleAfter: dial(
    'idle-after',
    'IDLE_AFTER',
    'close and release a document unused this long',
    dials.idleDocumentMs,
  ),
  takeoverGrace: dial(
    'takeover-grace',
    'TAKEOVER_GRACE',
    'from suspecting a dead owner to replacing it',
    dials.takeoverGraceMs,
  ),
} as const;

const parseHosts = (text: string): readonly string[] => text.split(',').map(checkAllowedHost);

/** Runs a node until a signal, then hands everything over. */
export function serveCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'serve',
    summary: 'run a node',
    description: [
      'Runs a node: peers connect to it, and it owns documents together with the other nodes of the cluster.',
      'With no configuration it uses the embedded broker of this machine, which it starts when none runs, and a SQLite op log in the data folder. A second serve in another terminal joins it, on the next free port.',
      'SIGTERM or Ctrl-C hands every document to another node, sends the peers away at a bounded rate, and ends. A second Ctrl-C ends at once.',
    ],
    impact: 'rw',
    output: 'stream',
    endsBySignal: true,
    options: {
      nodeId: option(
        '--node-id <ID>',
        'what operators call this node (default: machine and port)',
        checkNodeId,
        { env: 'BACKPLANE_NODE_ID' },
      ),
      host: optionWithDefault(
        '--host <ADDRESS>',
        'listen here; beyond loopback a token is needed',
        anyText,
        { env: 'BACKPLANE_HOST', fallback: '127.0.0.1', fallbackText: '127.0.0.1' },
      ),
      port: option(
        '--port <PORT>',
        'listen on this port (default: 7420, or the next free one)',
        parsePort,
        { env: 'BACKPLANE_PORT' },
      ),
      engine: optionWithDefault(
        '--engine <NAME>',
        'what ops do to a document: json merges patches, log keeps opaque bytes',
        oneOf('json', 'log'),
        {
          env: 'BACKPLANE_ENGINE',
          completes: ['json', 'log'],
          fallback: 'json' as const,
          fallbackText: 'json',
        },
      ),
      waitForExpiry: flag(
        '--wait-for-expiry',
        'leave a dead owner to its TTL instead of replacing it at once',
        { env: 'BACKPLANE_WAIT_FOR_EXPIRY' },
      ),
      publicUrl: option(
        '--public-url <URL>',
        'where clients reach this node, as other nodes may tell them',
        checkPublicUrl,
        { env: 'BACKPLANE_PUBLIC_URL' },
      ),
      redirect: flag(
        '--redirect',
        "send browsers of a workspace to its daemon's node instead of forwarding their frames",
        { env: 'BACKPLANE_REDIRECT' },
      ),
      redirectAllow: optionWithDefault(
        '--redirect-allow <HOSTS>',
        'hosts browsers may be sent to, with commas; the own one always',
        parseHosts,
        {
          env: 'BACKPLANE_REDIRECT_ALLOW',
          fallback: [] as readonly string[],
          fallbackText: 'none',
        },
      ),
      ...dialOptions,
    },
    examples: [
      {
        run: 'backplane serve',
        shows: 'a node with an embedded broker; run it twice for a cluster',
      },
      {
        run: 'backplane serve --url redis://127.0.0.1:6379 --node-id web-1',
        shows: 'a node on a Redis of yours',
      },
      { run: 'backplane serve -o jsonl', shows: 'a first line for programs, then its events' },
    ],
    action: async (_, options) => {
      const events = new ServeEvents(context.logger);
      const draining = new AbortController();
      const hosted = await context.host({
        nodeId: options.nodeId ?? null,
        gateway: { host: options.host, port: options.port ?? null },
        dials: {
          leaseTtlMs: options.leaseTtl,
          heartbeatMs: options.heartbeat,
          nodeTimeoutMs: options.nodeTimeout,
          requestTimeoutMs: options.requestTimeout,
          awarenessTtlMs: options.awarenessTtl,
          awarenessRatePerSecond: options.awarenessRate,
          snapshotOps: options.snapshotOps,
          snapshotMs: options.snapshotInterval,
          idleDocumentMs: options.idleAfter,
          takeoverGraceMs: options.takeoverGrace,
        },
        fastTakeover: !options.waitForExpiry,
        documentEngine: options.engine,
        relay: {
          publicUrl: options.publicUrl ?? null,
          redirect: options.redirect,
          redirectAllow: options.redirectAllow,
        },
        startsBroker: true,
        logger: events,
        drainRequested: () => draining.abort(),
      });
      await serveUntil(context, hosted, events, AbortSignal.any([context.signal, draining.signal]));
    },
  });
}

async function serveUntil(
  context: CommandContext,
  hosted: HostedNode,
  events: ServeEvents,
  signal: AbortSignal,
): Promise<void> {
  const session = hosted.node.session();
  const { nodeId } = hosted.node;
  if (session === null) throw new BackplaneError('SESSION_LOST', 'the node lost its session');
  const stream = context.print.stream<ServeEvent>({
    noun: 'events',
    asLines: eventLines,
    keys: ['type', 'name', 'level', 'at'],
  });
  const { url, store, address, notices } = hosted;
  await stream.write({
    type: 'ready',
    nodeId,
    session,
    url,
    address,
    pid: context.world.pid,
    store,
    notices,
  });
  for (const notice of notices) events.notice(notice);
  await events.forwardTo((event) => stream.write(event), signal, context.clock);
  await stream.write({ type: 'draining', nodeId });
  await hosted.close();
  await stream.write({ type: 'stopped', nodeId });
  await stream.end();
}
