import { BackplaneError } from '../../../foundation/errors.ts';

const connectTimeoutMs = 1_000;
const answerTimeoutMsDefault = 2_000;

/**
 * One command to a server on loopback, over a connection of its own, never sent twice.
 *
 * What the server refuses is INTERNAL, with the first word of its refusal as `facts.refusal`;
 * a server that does not answer in time is BACKPLANE_UNREACHABLE.
 */
export async function askServer(
  port: number,
  words: readonly string[],
  answerTimeoutMs = answerTimeoutMsDefault,
): Promise<unknown> {
  const { Redis } = await import('ioredis');
  const client = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    protocol: 2,
    connectTimeout: connectTimeoutMs,
    commandTimeout: answerTimeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy: () => null,
  });
  // Told by the rejection as well; without a listener it would be printed.
  client.on('error', () => {});
  const [verb = '', ...rest] = words;
  try {
    await client.connect();
    return await client.call(verb, ...rest);
  } catch (thrown) {
    throw failure(port, verb, thrown);
  } finally {
    client.disconnect();
  }
}

/** The fields of one section of INFO. */
export async function readInfo(port: number, section: string): Promise<Map<string, string>> {
  const text = String(await askServer(port, ['INFO', section]));
  const lines = text.split(/\r?\n/).map((line) => line.split(/:(.*)/s));
  return new Map(lines.map(([key = '', value = '']) => [key, value]));
}

function failure(port: number, verb: string, thrown: unknown): BackplaneError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const where = `the server on 127.0.0.1:${port}`;
  if (error.name !== 'ReplyError') {
    const what = `${where} did not answer ${verb}: ${error.message}`;
    return new BackplaneError('BACKPLANE_UNREACHABLE', what, { cause: error });
  }
  return new BackplaneError('INTERNAL', `${where} refused ${verb}: ${error.message}`, {
    cause: error,
    certainty: 'definite',
    facts: { refusal: error.message.split(' ', 1)[0] ?? '' },
  });
}
