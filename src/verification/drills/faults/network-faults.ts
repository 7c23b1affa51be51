import * as v from 'valibot';
import { invariant } from '../../../foundation/assert.ts';
import { formatDuration } from '../../../foundation/duration.ts';
import { counted } from '../../law.ts';
import type { FaultKind } from '../fault.ts';
import type { WireFault } from '../proxy/wire-fault.ts';
import { durationMs } from '../scenario-values.ts';
import { once } from './once.ts';

/** The connections of a node are two: one for commands, one for subscriptions. */
const connections = v.optional(
  v.picklist(['all', 'command', 'subscriber'], 'write connections as all, command or subscriber'),
  'all',
);
const direction = v.optional(
  v.picklist(['both', 'to-broker', 'to-node'], 'write direction as both, to-broker or to-node'),
  'both',
);
const glob = v.pipe(v.string(), v.nonEmpty('write a name, or a pattern with * and ?'));
const share = v.optional(
  v.pipe(
    v.number('write share as a number above 0, at most 1'),
    v.gtValue(0, 'share is above 0'),
    v.maxValue(1, 'share is at most 1'),
  ),
  1,
);
/** A command (`PUBLISH`) or a script of ours (`append-ops`), and its first key or channel. */
const commandChoice = { command: v.optional(glob, '*'), key: v.optional(glob, '*'), share };
const positiveMs = v.pipe(durationMs, v.minValue(1, 'the duration is at least 1ms'));

const chosen = v.strictObject({ connections });
const resetParameters = v.strictObject({
  connections,
  /** How often, for as long as the fault is held; once without it. */
  every: v.optional(v.nullable(positiveMs), null),
});
const latencyParameters = v.strictObject({
  connections,
  direction,
  by: v.optional(durationMs, '100ms'),
  jitter: v.optional(durationMs, '50ms'),
});
const bandwidthParameters = v.strictObject({
  connections,
  direction,
  bytesPerSecond: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1, 'bytesPerSecond is at least 1')),
    50_000,
  ),
});
const oneWayParameters = v.strictObject({
  connections,
  direction: v.optional(v.picklist(['to-broker', 'to-node']), 'to-broker'),
});
const deafParameters = v.strictObject({
  how: v.optional(v.picklist(['half-open', 'cut'], 'write how as half-open or cut'), 'half-open'),
});
const wedgeParameters = v.strictObject({
  connections: v.optional(
    v.picklist(['all', 'command', 'subscriber'], 'write connections as all, command or subscriber'),
    'subscriber',
  ),
});
const dropParameters = v.strictObject({
  /** As the broker knows it, with the prefix. */
  channel: v.optional(glob, '*'),
  /** Also what the node itself publishes, but not what a script publishes for it. */
  publish: v.optional(v.boolean('write publish as true or false'), false),
  share,
});
const slowParameters = v.strictObject({
  ...commandChoice,
  by: v.optional(durationMs, '500ms'),
  /** Whether the command arrives late, or its reply comes late. */
  late: v.optional(v.picklist(['command', 'reply'], 'write late as command or reply'), 'command'),
});
const refuseParameters = v.strictObject({
  ...commandChoice,
  error: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[A-Z]+ [\x20-\x7e]{1,200}$/, 'write an error as Redis does: OOM no memory left'),
    ),
    'LOADING the drill refuses this command',
  ),
});

/** The node loses its broker, and knows it. */
export const cutFault = networkFault({
  name: 'cut',
  summary: 'close the connections of a node to the broker, and send away new ones',
  recoveryFrom: 'start',
  parameters: chosen,
  wire: (parameters) => ({ kind: 'cut', ...parameters }),
  evidence: (touched) => `${counted(touched, 'connection')} closed or sent away`,
});

/** The node loses its broker, and nobody tells it. */
export const halfOpenFault = networkFault({
  name: 'half-open',
  summary: 'keep the connections of a node to the broker open, and lose all that is sent',
  recoveryFrom: 'start',
  parameters: chosen,
  wire: (parameters) => ({ kind: 'half-open', ...parameters }),
  evidence: (touched) => `${counted(touched, 'piece')} of traffic lost on open connections`,
});

export const resetFault = networkFault({
  name: 'reset',
  summary: 'break the connections of a node to the broker off (RST), once or again and again',
  recoveryFrom: 'start',
  parameters: resetParameters,
  wire: ({ every, ...parameters }) => ({ kind: 'reset', ...parameters, everyMs: every }),
  evidence: (touched) => `${counted(touched, 'connection')} reset`,
});

/** Ops go on, only slower. */
export const latencyFault = networkFault({
  name: 'latency',
  summary: 'let what a node and the broker say to each other arrive late, in order',
  recoveryFrom: 'start',
  parameters: latencyParameters,
  wire: ({ by, jitter, ...parameters }) => ({
    ...{ kind: 'latency', ...parameters, latencyMs: by, jitterMs: jitter },
  }),
  evidence: (touched, { by, jitter }) =>
    `${counted(touched, 'piece')} of traffic delayed by ${formatDuration(by)} to ${formatDuration(by + jitter)}`,
});

/** Heartbeats may well pass where the load does not, and then nobody takes over. */
export const bandwidthFault = networkFault({
  name: 'bandwidth',
  summary: 'limit how much a node and the broker say to each other in a second',
  recoveryFrom: 'end',
  parameters: bandwidthParameters,
  wire: (parameters) => ({ kind: 'bandwidth', ...parameters }),
  evidence: (touched, { bytesPerSecond }) =>
    `traffic waited ${counted(touched, 'time')} for a link of ${bytesPerSecond} bytes per second`,
});

export const oneWayFault = networkFault({
  name: 'one-way',
  summary: 'hold back all that is sent in one direction between a node and the broker',
  recoveryFrom: 'start',
  parameters: oneWayParameters,
  wire: (parameters) => ({ kind: 'one-way', ...parameters }),
  evidence: (touched, parameters) =>
    `${counted(touched, 'piece')} of traffic held back ${parameters.direction.replace('-', ' the ')}`,
});

/** The session lives on, so nobody takes over from a node that hears nothing. */
export const deafFault = networkFault({
  name: 'deaf',
  summary: 'let a node hear nothing of what others publish, though its commands work',
  recoveryFrom: 'end',
  parameters: deafParameters,
  wire: ({ how }) => ({ kind: how, connections: 'subscriber' }),
  evidence: (touched, { how }) =>
    how === 'cut'
      ? `${counted(touched, 'subscriber connection')} closed`
      : `${counted(touched, 'piece')} of traffic lost on subscriber connections`,
});

/** Nobody tells the node, and nobody connects for it: it has to notice by itself. */
export const wedgeFault = networkFault({
  name: 'wedge',
  summary: 'lose all that is sent on the connections a node has to the broker now; new ones work',
  recoveryFrom: 'start',
  parameters: wedgeParameters,
  wire: (parameters) => ({ kind: 'wedge', ...parameters }),
  evidence: (touched) => `${counted(touched, 'piece')} of traffic lost on wedged connections`,
});

export const dropChannelFault = networkFault({
  name: 'drop-channel',
  summary: 'lose the messages of some channels on their way to a node',
  recoveryFrom: 'end',
  parameters: dropParameters,
  wire: (parameters) => ({ kind: 'drop-channel', ...parameters }),
  evidence: (touched, { channel }) => `${counted(touched, 'message')} lost on ${channel}`,
});

export const slowCommandFault = networkFault({
  name: 'slow-command',
  summary: 'let some commands of a node arrive late, or their replies',
  recoveryFrom: 'end',
  parameters: slowParameters,
  wire: ({ by, ...parameters }) => ({ kind: 'slow-command', ...parameters, delayMs: by }),
  evidence: (touched, { late, by }) =>
    `${counted(touched, late, late === 'reply' ? 'replies' : 'commands')} delayed by ${formatDuration(by)}`,
});

export const refuseCommandFault = networkFault({
  name: 'refuse-command',
  summary: 'answer some commands of a node with an error, before the broker sees them',
  recoveryFrom: 'end',
  parameters: refuseParameters,
  wire: (parameters) => ({ kind: 'refuse-command', ...parameters }),
  evidence: (touched, { error }) => `${counted(touched, 'command')} refused with "${error}"`,
});

type AnyParameters = v.GenericSchema<Record<string, unknown>, Record<string, unknown>>;

interface NetworkFault<Schema extends AnyParameters> {
  readonly name: string;
  readonly summary: string;
  readonly recoveryFrom: 'start' | 'end';
  readonly parameters: Schema;
  wire(parameters: v.InferOutput<Schema>): WireFault;
  evidence(touched: number, parameters: v.InferOutput<Schema>): string;
}

/** What the proxy of a node can do, as a fault: it took effect when the proxy hit something. */
function networkFault<Schema extends AnyParameters>(
  fault: NetworkFault<Schema>,
): FaultKind<Schema> {
  const { name, summary, recoveryFrom, parameters } = fault;
  return {
    ...{ name, summary, on: 'node', recoveryFrom, endsNode: false, parameters },
    unfit: () => null,
    async inject({ node }, values) {
      invariant(node !== null, 'a fault of a node is injected into a node');
      const handle = node.proxy.inject(fault.wire(values));
      return {
        async evidence() {
          const touched = handle.touched();
          return touched > 0 ? fault.evidence(touched, values) : null;
        },
        revert: once(async () => handle.revert()),
      };
    },
  };
}
