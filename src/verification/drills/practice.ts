/** What a node of a drill does besides, and what the drill asks of it. */
export const practice = {
  /** The environment variable that names the folder of the source: the node of a drill has it. */
  variable: 'BACKPLANE_DRILL_SOURCE',
  region: 'practice',
  keys: ['k1', 'k2', 'k3', 'k4'],
  stalenessMs: 2_000,
  /** Of what a node serves; also where the drill itself was held up. */
  boundMs: 2_500,
  getMethod: 'practice.get',
  evictMethod: 'practice.evict',
} as const;

/** Where the nodes of a drill have a cache that can be asked. */
export interface PracticePlace {
  readonly folder: string;
  readonly nodeIds: readonly string[];
}
