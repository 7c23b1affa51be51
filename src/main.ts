import { homedir, hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { brokerProgram } from './broker-program.ts';
import type { Doors } from './cli/context.ts';
import { createRedactor } from './cli/redactor.ts';
import { runCli } from './cli/run-cli.ts';
import { createTerminal } from './cli/terminal.ts';
import { drillMachine } from './drill-machine.ts';
import { SystemClock } from './drivers/system/system-clock.ts';
import { SystemRandom } from './drivers/system/system-random.ts';
import { BackplaneError } from './foundation/errors.ts';
import { practice } from './verification/drills/practice.ts';
import { version } from './version.ts';

const clock = new SystemClock();
const random = new SystemRandom();

// Every door loads what is behind it when it is opened: `backplane --help` needs no Redis client.
const doors: Doors = {
  async openEngine(settings, logger) {
    if (settings.engineUrl.kind === 'local') {
      // It would look at a cluster of its own, find nothing, and call that an answer.
      throw new BackplaneError(
        'CONFIG_INVALID',
        'local: is inside one process, out of reach here',
        {
          remedy: 'leave --url away for the broker of this machine, or name a Redis with it',
        },
      );
    }
    const { openEngine } = await import('./composition.ts');
    return (await openEngine(settings, { clock, random, logger }, null)).engine;
  },
  async examineBroker(settings, logger) {
    const { examineBroker } = await import('./composition.ts');
    return examineBroker(settings, { clock, random, logger });
  },
  async openVisitor(engine, logger, mayWrite) {
    const { openVisitor } = await import('./runtime/visitor-runtime.ts');
    return openVisitor({ engine, clock, random, logger }, { mayFence: mayWrite });
  },
  async openStore(settings, logger) {
    const { openEngine, openStore } = await import('./composition.ts');
    const opened = await openEngine(settings, { clock, random, logger }, null);
    const { store } = await openStore(settings, opened, { clock, random, logger });
    const close = async () => {
      await store.close();
      await opened.close();
    };
    return { store, close };
  },
  async prepareDashboard() {
    const { showDashboard } = await import('./tui/show-dashboard.tsx');
    const stopProcess = async () => {
      // The whole group: started through npx, the shell waits for npx.
      process.kill(0, 'SIGTSTP');
      // Timers stand still with the process, so this is over soon after it goes on.
      await new Promise<void>((resolve) => clock.after(50, resolve));
    };
    const { stdout: output, stdin: input } = process;
    return (request) => showDashboard(request, { clock, output, input, stopProcess });
  },
  drillDoors: (logger) => drillMachine({ clock, random, logger }, process.env),
  async hostNode(settings, request) {
    const { hostNode } = await import('./host-node.ts');
    const { gateway, logger } = request;
    const hosted = await hostNode(
      {
        ...request,
        connection: settings,
        hostname: hostname(),
        pid: process.pid,
        version,
        gateway: gateway && { ...gateway, token: settings.token },
        launchBroker: request.startsBroker ? brokerProgram(settings) : null,
      },
      { clock, random, logger },
    );
    const source = process.env[practice.variable];
    // Only the node of a drill has it.
    if (source) (await import('./drill-practice.ts')).practise(hosted.node, source);
    return { ...hosted, store: hosted.storeUrl, close: () => hosted.stop() };
  },
  async runBroker(settings, { ready, ...request }) {
    const { runBroker } = await import('./drivers/embedded/broker-process.ts');
    const { dataDir, brokerPort: port } = settings;
    return runBroker(
      {
        dataDir,
        port,
        searchPath: process.env.PATH ?? '',
        pid: process.pid,
        engine: request.engine,
        transientMs: request.transientMs,
        ready: (card) => {
          const url = `redis://127.0.0.1:${card.port}`;
          ready({ url, server: card.engine, volatile: card.volatile, pid: card.pid });
        },
      },
      { clock, logger: request.logger, signal: request.signal },
    );
  },
};

const args = process.argv.slice(2);
// A long listing is nothing but short-lived rows: a young generation that does not grow collects
// them as fast, and 100,000 leases take 105 MB instead of 145.
if (args[0] === 'inspect') setFlagsFromString('--semi-space-growth-factor=1');
const exitCode = await runCli(
  args,
  {
    terminal: createTerminal({ out: process.stdout, err: process.stderr, input: process.stdin }),
    environment: process.env,
    home: homedir(),
    clock,
    random,
    doors,
    about: {
      version,
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
    },
    pid: process.pid,
    redact: createRedactor(process.env, args),
  },
  {
    onSignal: (signal, listen) => process.on(signal, listen),
    onCrash: (listen) => process.on('uncaughtException', listen),
  },
);
// Everything was closed and flushed; a connection that lingers must not hold the shell up.
process.exit(exitCode);
