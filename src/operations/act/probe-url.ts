import { RelayLine } from '../../client/relay-line.ts';
import type { WebSocketConstructor } from '../../client/web-socket.ts';
import { BackplaneError } from '../../foundation/errors.ts';
import { dials } from '../../foundation/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RequestOptions } from '../../runtime/reports.ts';

export interface UrlProbe {
  readonly connectMs: number;
  readonly latenciesMs: readonly number[];
}

/** Connects as a browser of nobody's workspace, and pings the node there. */
export async function probeUrl(
  { clock, token }: { readonly clock: Clock; readonly token: string | null },
  url: string,
  count: number,
  options: RequestOptions,
): Promise<UrlProbe> {
  const { timeoutMs = dials.requestTimeoutMs } = options;
  const startedMs = clock.monotonicMs();
  const outcome = Promise.withResolvers<UrlProbe>();
  const latenciesMs: number[] = [];
  let connectMs = 0;
  let sentMs = 0;
  const ping = () => {
    sentMs = clock.monotonicMs();
    line.send({ type: 'ping' });
  };
  const line = new RelayLine(
    {
      urls: [url.replace(/\?.*$/s, '')],
      query: () => ({ role: 'browser', stream: 'backplane-ping', hops: '1' }),
      token,
      WebSocket: globalThis.WebSocket as unknown as WebSocketConstructor,
      clock,
      // One attempt: nothing is left to chance.
      random: { fraction: () => 0, token: () => 'backplane-ping' },
      reconnect: { firstMs: timeoutMs, mostMs: timeoutMs },
      connectMs: timeoutMs,
      pingMs: 2 * timeoutMs,
    },
    {
      state: (state) => {
        if (state === 'waiting') outcome.reject(unreachable(url));
        if (state !== 'connected') return;
        connectMs = clock.monotonicMs() - startedMs;
        queueMicrotask(ping);
      },
      message: ({ type }) => {
        if (type !== 'pong') return;
        latenciesMs.push(clock.monotonicMs() - sentMs);
        if (latenciesMs.length < count) ping();
        else outcome.resolve({ connectMs, latenciesMs });
      },
      letter: () => {},
      failed: (error) => outcome.reject(error),
    },
  );
  const timer = clock.after(timeoutMs, () => outcome.reject(late(url, timeoutMs)));
  try {
    return await outcome.promise;
  } finally {
    timer.cancel();
    line.close();
  }
}

function unreachable(url: string): BackplaneError {
  const why = `nobody answers at ${url.replace(/\?.*$/s, '')}`;
  return new BackplaneError('NO_RESPONDER', why, {
    remedy: 'see whether the --public-url of that node can be reached from here',
  });
}

function late(url: string, timeoutMs: number): BackplaneError {
  const why = `${url.replace(/\?.*$/s, '')} did not answer within ${timeoutMs} ms`;
  return new BackplaneError('DEADLINE_EXCEEDED', why);
}
