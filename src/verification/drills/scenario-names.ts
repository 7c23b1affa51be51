/** The scenarios that come with the program, in the order of listings. */
export const scenarioNames = [
  'owner-crash',
  'owner-pause',
  'rolling-restart',
  'broker-restart',
  'broker-empty',
  'broker-failover',
  'partition-owner',
  'partition-half',
  'half-open-subscriber',
  'slow-broker',
  'node-flap',
  'thundering-herd',
  'store-outage',
  'duplicate-node-id',
  'clock-step',
  'everything',
] as const;
