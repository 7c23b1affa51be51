/** What a world can go through: a run whose faults never took effect proves nothing. */
export const coverageNames = [
  'crashes',
  'pauses',
  'pausesBeyondLease',
  'suspends',
  'cleanRestarts',
  'wallJumps',
  'partitions',
  'partitionsOneWay',
  'storeCuts',
  'peerCuts',
  'brokerRestarts',
  'brokerWipes',
  'brokerRewinds',
  'brokerClockJumps',
  'subscribersCut',
  'subscribersDeaf',
  'framesLost',
  'framesDoubled',
  'framesDelayed',
  'callsLate',
  'storeRefusals',
  'appendsAmbiguous',
  'appendsFenced',
  'appendsConflicting',
  'sessionsFenced',
  'sessionsExpired',
  'leasesGranted',
  'takeoversFast',
  'takeoversByExpiry',
  'handOvers',
  'duplicates',
  'gapsReplayed',
  'opsAcknowledged',
  'requestsAnswered',
  'peerReconnects',
  'operatorActs',
  'connectionsOpened',
  'groupsChanged',
  'relayFrames',
  'relayFramesLost',
  'relayDaemons',
  'relayRedirects',
] as const;

export type CoverageName = (typeof coverageNames)[number];

export class Coverage {
  readonly #counts = new Map<CoverageName, number>();

  add(name: CoverageName, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  of(name: CoverageName): number {
    return this.#counts.get(name) ?? 0;
  }

  read(): Record<CoverageName, number> {
    return Object.fromEntries(coverageNames.map((name) => [name, this.of(name)])) as Record<
      CoverageName,
      number
    >;
  }
}
