import type { NodeLane } from '../figures/run-series.ts';
import type { LegendEntry } from './picture-frame.ts';

const colours = 8;
/** More nodes than this have no room in a key. */
const legendMax = 6;
const nameLengthMax = 14;

/** The colour of a node, by its place; the ninth has that of the first. */
export function nodeClass(node: number): string {
  return `node-${node % colours}`;
}

export function shortName(name: string): string {
  const letters = [...name];
  if (letters.length <= nameLengthMax) return name;
  return `${letters.slice(0, nameLengthMax - 1).join('')}…`;
}

/** Which colour is which node, and what belongs to nobody. */
export function ownerLegend(nodes: readonly NodeLane[]): LegendEntry[] {
  const entries = nodes.map(({ nodeId }, node) => ({
    swatch: nodeClass(node),
    text: shortName(nodeId),
  }));
  return [...(nodes.length > legendMax ? [] : entries), { swatch: 'nobody', text: 'nobody' }];
}
