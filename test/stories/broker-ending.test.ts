import { expect } from 'vitest';
import { brokerProgram } from '../../src/broker-program.ts';
import { openEngine } from '../../src/composition.ts';
import { startValkeyWasm } from '../../src/drivers/embedded/valkey-wasm-server.ts';
import { SystemClock } from '../../src/drivers/system/system-clock.ts';
import { SystemRandom } from '../../src/drivers/system/system-random.ts';
import { parseEngineUrl } from '../../src/foundation/url.ts';
import { silentLogger } from '../../src/ports/logger.ts';
import { until } from '../verification/judge.ts';
import { storyOn } from './support/story-machine.ts';

const machineParts = {
  clock: new SystemClock(),
  random: new SystemRandom(),
  logger: silentLogger,
};

storyOn('nothing', 'a node that finds a broker just ending starts the next', async (machine) => {
  const { dataDir, brokerPort } = machine;
  const ending = await startValkeyWasm({ host: '127.0.0.1', port: brokerPort, ...machineParts });
  await until('its own first connection to be over', () => ending.connections() === 0);
  // It ends as soon as somebody has looked whether it is there.
  let wasSeen = false;
  const watch = setInterval(() => {
    wasSeen ||= ending.connections() > 0;
    if (wasSeen && ending.connections() === 0) void ending.close();
  }, 0);
  void ending.ended.then(() => clearInterval(watch));

  const settings = {
    engineUrl: parseEngineUrl(null),
    storeUrl: null,
    prefix: 'backplane:',
    dataDir,
    brokerPort,
  };
  const opened = await openEngine(settings, machineParts, brokerProgram(settings));
  try {
    await ending.ended;
    expect(await opened.engine.bus.publish('nobody', new Uint8Array(1))).toBe(0);
    expect(machine.card().port).toBe(brokerPort);
  } finally {
    await opened.close();
  }
});
