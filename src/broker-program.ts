import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A broker nobody uses ends after this long. */
const idleEnd = '10s';

/** The command of an embedded broker in a process of its own; its paths are absolute. */
export function brokerProgram(place: {
  readonly dataDir: string;
  readonly brokerPort: number;
}): string[] {
  const bin = fileURLToPath(new URL('../bin/backplane.js', import.meta.url));
  const port = String(place.brokerPort);
  return [
    ...[process.execPath, bin, 'broker', '--transient', idleEnd],
    ...['--data-dir', resolve(place.dataDir), '--broker-port', port],
  ];
}
