import { createServer } from 'node:net';
import { BackplaneError } from '../../foundation/errors.ts';
import type { Random } from '../../ports/random.ts';

/**
 * Below the ports that systems give to outgoing connections: while the server of such a port is
 * down, one of the many connections of a drill would take it.
 */
const portMin = 20_000;
const portMax = 29_999;
const triesMax = 100;

/** A port of loopback that was free a moment ago, for servers that must be found there again. */
export async function freePort(random: Random): Promise<number> {
  for (let tries = 0; tries < triesMax; tries++) {
    const port = portMin + Math.floor(random.fraction() * (portMax - portMin + 1));
    if (await isFree(port)) return port;
  }
  const message = `no free port was found between ${portMin} and ${portMax}`;
  throw new BackplaneError('PORT_BUSY', message);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
