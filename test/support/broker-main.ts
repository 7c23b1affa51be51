import { runBroker } from '../../src/drivers/embedded/broker-process.ts';
import { isBackplaneError } from '../../src/foundation/errors.ts';
import { realClock } from './real-clock.ts';

/** The broker's own process, for tests: `node broker-main.ts '{"dataDir": …, "port": …}'`. */
const given = JSON.parse(process.argv[2] ?? '{}');
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
process.once('SIGINT', () => stopping.abort());

const logger = {
  event: (level: string, name: string, facts: object = {}) =>
    console.error(JSON.stringify({ level, name, ...facts })),
};

try {
  await runBroker(
    {
      engine: 'auto',
      searchPath: process.env.PATH ?? '',
      transientMs: null,
      pid: process.pid,
      ready: (card) => console.log(JSON.stringify(card)),
      ...given,
    },
    { clock: realClock, logger, signal: stopping.signal },
  );
} catch (error) {
  if (!isBackplaneError(error)) throw error;
  console.error(JSON.stringify({ code: error.code, message: error.message }));
  process.exitCode = 2;
}
