import { ensureBroker } from '../../src/drivers/embedded/embedded-broker.ts';
import { silentLogger } from '../../src/ports/logger.ts';
import { realClock } from './real-clock.ts';

/** A process that starts a broker and then only stays: for tests that kill it. */
const given = JSON.parse(process.argv[2] ?? '{}');
const found = await ensureBroker({ ...given, clock: realClock, logger: silentLogger });
console.log(JSON.stringify(found));
setInterval(() => {}, 60_000);
