import { once } from 'node:events';
import { connect } from 'node:net';
import { vi } from 'vitest';
import type { RedisServer } from './redis-server.ts';

/** A command as the server saw it. */
export interface SeenCommand {
  /** The address of the client; `lua` for a command of a script. */
  readonly by: string;
  readonly verb: string;
  readonly text: string;
}

export interface RedisMonitor {
  /** Everything up to now, in the order of the server. */
  seen(): Promise<SeenCommand[]>;
  stop(): void;
}

/** Watches every command that a server runs, whoever sends it. */
export async function monitorRedis(server: RedisServer): Promise<RedisMonitor> {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('utf8').on('data', (data) => {
    text += data;
  });
  socket.on('error', () => {});
  socket.write('MONITOR\r\n');
  await vi.waitFor(() => {
    if (!text.includes('+OK')) throw new Error('MONITOR was not answered');
  });
  let marks = 0;
  return {
    async seen() {
      const mark = `mark-${++marks}-of-the-monitor`;
      await server.cli('ECHO', mark);
      await vi.waitFor(() => {
        if (!text.includes(mark)) throw new Error('the monitor lags behind');
      });
      return text.split('\r\n').flatMap(readLine);
    },
    stop: () => void socket.destroy(),
  };
}

/** `+1339518083.107412 [0 127.0.0.1:60866] "keys" "*"` */
function readLine(line: string): SeenCommand[] {
  const parts = /^\+[\d.]+ \[\d+ (\S+)\] "([^"]+)"/.exec(line);
  if (!parts) return [];
  return [{ by: parts[1] as string, verb: (parts[2] as string).toLowerCase(), text: line }];
}
