import { BackplaneError } from '../../foundation/errors.ts';
import { checkNodeId } from '../../foundation/identifiers.ts';
import type { NodeReport } from './list-nodes.ts';

/** How many nodes there should be, or which. */
export type ExpectedNodes = number | readonly string[];

/** Reads `3` or `web-1,web-2`. Throws USAGE, NAME_INVALID. */
export function parseExpectedNodes(text: string): ExpectedNodes {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  return text.split(',').map((name) => checkNodeId(name.trim()));
}

/** Nodes that serve, or will go on serving: neither dead nor silent. */
export function presentNodes(nodes: readonly NodeReport[]): string[] {
  const there = nodes.filter(({ state }) => state !== 'dead' && state !== 'silent');
  return [...new Set(there.map(({ nodeId }) => nodeId))];
}

/**
 * Who is not there, by name where the cluster still remembers one; null when all are. `nodes` must
 * hold all sessions, also those that left.
 */
export function missingNodes(
  nodes: readonly NodeReport[],
  expected: ExpectedNodes,
): BackplaneError | null {
  const present = presentNodes(nodes);
  const wanted = typeof expected === 'number' ? expected : expected.length;
  const missing =
    typeof expected === 'number'
      ? remembered(nodes, present).slice(0, Math.max(0, expected - present.length))
      : expected.filter((name) => !present.includes(name));
  const lacking = typeof expected === 'number' ? expected - present.length : missing.length;
  if (lacking <= 0) return null;
  const named = missing.map((name) => `${name} (${whyMissing(nodes, name)})`);
  const unnamed = lacking - missing.length;
  if (unnamed > 0) named.push(`${unnamed} that the cluster does not remember`);
  const there = wanted - lacking;
  return new BackplaneError(
    'PARTIAL',
    `${there} of ${wanted} nodes; missing: ${named.join(', ')}`,
    {
      remedy:
        missing[0] === undefined
          ? 'start it: backplane serve'
          : `start it: backplane serve --node-id ${missing[0]}`,
      facts: { expected: wanted, present, missing },
    },
  );
}

/** The most recently seen first. */
function remembered(nodes: readonly NodeReport[], present: readonly string[]): string[] {
  const absent = nodes
    .filter(({ nodeId }) => !present.includes(nodeId))
    .sort((a, b) => a.lastBeatAgoMs - b.lastBeatAgoMs);
  return [...new Set(absent.map(({ nodeId }) => nodeId))];
}

function whyMissing(nodes: readonly NodeReport[], name: string): string {
  const known = nodes
    .filter(({ nodeId }) => nodeId === name)
    .sort((a, b) => a.lastBeatAgoMs - b.lastBeatAgoMs)[0];
  if (!known) return 'never seen';
  const ago = `last beat ${Math.round(known.lastBeatAgoMs / 1_000)} s ago`;
  return known.cause === null ? `${known.state}, ${ago}` : `${known.state}: ${known.cause}, ${ago}`;
}
