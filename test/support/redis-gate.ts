import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { RedisServer } from './redis-server.ts';

/** A way to a Redis that closes at a chosen moment. */
export interface RedisGate {
  readonly url: string;
  /** Resolves when the command came; from then on nothing passes, in either direction. */
  readonly reached: Promise<void>;
  /** Lets everything pass that was held back, and all that follows. */
  open(): void;
  stop(): Promise<void>;
}

/**
 * Passes everything on until a client sends `command` for the `nth` time. What a client sends is
 * held from this very command on, so that a test can do something to the server in the middle.
 */
export async function gateBefore(
  server: RedisServer,
  command: string,
  nth = 1,
): Promise<RedisGate> {
  const reached = Promise.withResolvers<void>();
  const passing: (() => void)[] = [];
  const sockets = new Set<Socket>();
  const sign = new RegExp(`\\r\\n${command}\\r\\n`, 'i');
  let state: 'open' | 'shut' | 'reopened' = 'open';
  let times = 0;

  const proxy = createServer((client) => {
    const upstream = connect(server.port, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    upstream.on('data', (data) => pass(() => client.write(data)));
    client.on('data', (data) => {
      if (sign.test(data.toString('latin1'))) times += 1;
      if (state === 'open' && times >= nth) {
        state = 'shut';
        reached.resolve();
      }
      pass(() => upstream.write(data));
    });
  });
  const pass = (send: () => void) => {
    if (state === 'shut') passing.push(send);
    else send();
  };
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    reached: reached.promise,
    open() {
      state = 'reopened';
      for (const send of passing.splice(0)) send();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
