import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BackplaneError } from '../foundation/errors.ts';

/** Where `serve` listens when nothing was said; the embedded broker has the port after it. */
export const defaultPort = 7_420;
const brokerPort = 7_421;

export interface ListenPlace {
  readonly host: string;
  /** Null: the default port, or the next free one. */
  readonly port: number | null;
  /** How many ports to try when none was named. */
  readonly portsTried: number;
}

/** Listens, and answers the port. A port that was asked for by number is never replaced by another. */
export async function listen(server: Server, place: ListenPlace): Promise<number> {
  const { host, port } = place;
  if (port !== null) {
    if (await tryListen(server, host, port)) return portOf(server);
    throw new BackplaneError('PORT_BUSY', `another process listens on ${host}:${port}`, {
      remedy: `choose another with --port, or see who has it: ss -ltnp 'sport = :${port}'`,
      facts: { host, port },
    });
  }
  const candidates = candidatePorts(place.portsTried);
  for (const candidate of candidates) {
    if (await tryListen(server, host, candidate)) return portOf(server);
  }
  const last = candidates.at(-1);
  throw new BackplaneError(
    'PORT_BUSY',
    `no port from ${defaultPort} to ${last} is free on ${host}`,
    {
      remedy: `choose one with --port, or see who has them: ss -ltnp 'sport >= :${defaultPort}'`,
      facts: { host, port: defaultPort },
    },
  );
}

export function candidatePorts(count: number): number[] {
  const ports: number[] = [];
  for (let port = defaultPort; ports.length < count; port++) {
    if (port !== brokerPort) ports.push(port);
  }
  return ports;
}

/** False when the port is taken; any other failure is one no other port would mend. */
function tryListen(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      server.off('listening', listening);
      if (error.code === 'EADDRINUSE') return resolve(false);
      reject(cannotListen(host, port, error));
    };
    const listening = () => {
      server.off('error', failed);
      resolve(true);
    };
    server.once('error', failed);
    server.once('listening', listening);
    server.listen({ host, port, exclusive: true, backlog: 1_024 });
  });
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): BackplaneError {
  const where = `${host}:${port}`;
  const why =
    cause.code === 'EACCES'
      ? `this user may not listen on ${where}`
      : cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND'
        ? `this machine has no address "${host}"`
        : `listening on ${where} failed (${cause.code})`;
  return new BackplaneError('CONFIG_INVALID', why, {
    cause,
    remedy: 'choose another address with --host, or another port with --port',
    facts: { host, port },
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
