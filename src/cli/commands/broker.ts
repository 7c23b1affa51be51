import { parseDurationMs } from '../../foundation/duration.ts';
import { type CommandDefinition, defineCommand } from '../command-definition.ts';
import type { CommandContext } from '../context.ts';
import type { BrokerReady } from '../hosting.ts';
import type { Line } from '../output/styled-text.ts';
import { option, optionWithDefault } from '../parameters.ts';
import { oneOf } from '../parse-values.ts';

interface ReadyLine extends BrokerReady {
  readonly type: 'ready';
}

/** Runs the embedded broker of this machine in the foreground. */
export function brokerCommand(context: CommandContext): CommandDefinition {
  return defineCommand({
    name: 'broker',
    summary: 'run only the embedded broker',
    description: [
      'Runs the broker that serve starts by itself: an installed valkey-server or redis-server with its append-only file on, else Valkey compiled to WebAssembly, which keeps nothing on disk.',
      'It listens on 127.0.0.1 at --broker-port; only one broker can.',
    ],
    impact: 'rw',
    output: 'stream',
    endsBySignal: true,
    options: {
      server: optionWithDefault(
        '--server <KIND>',
        'auto, server (installed) or wasm',
        oneOf('auto', 'server', 'wasm'),
        {
          env: 'BACKPLANE_BROKER_SERVER',
          completes: ['auto', 'server', 'wasm'],
          fallback: 'auto' as const,
          fallbackText: 'auto',
        },
      ),
      transient: option(
        '--transient <DURATION>',
        'end after so long without a client',
        parseDurationMs,
      ),
    },
    examples: [
      { run: 'backplane broker', shows: 'a broker on 127.0.0.1:7421' },
      {
        run: 'backplane broker --broker-port 7500 --server wasm',
        shows: 'one in memory, elsewhere',
      },
    ],
    action: async (_, { server, transient }) => {
      const stream = context.print.stream<ReadyLine>({
        noun: 'events',
        asLines: (line) => [readyLine(line)],
        keys: ['type', 'url', 'server', 'volatile', 'pid'],
      });
      await context.runBroker({
        engine: server,
        transientMs: transient ?? null,
        ready: (broker) => void stream.write({ type: 'ready', ...broker }),
      });
      await stream.end();
    },
  });
}

function readyLine({ url, server, volatile, pid }: ReadyLine): Line {
  const kept = volatile ? 'keeps nothing on disk' : 'keeps an append-only file';
  return `${server} is ready at ${url}, pid ${pid}, ${kept}`;
}
