import { render } from 'ink';
import type { ClusterAction } from '../operations/act/cluster-action.ts';
import type {
  DashboardRequest,
  LiveSource,
  ReplaySource,
} from '../operations/watch/dashboard-source.ts';
import { type Clock, sleep } from '../ports/clock.ts';
import { App } from './app.tsx';
import { Dashboard } from './dashboard.ts';
import type { Feed } from './feeds/feed.ts';
import { LiveFeed } from './feeds/live-feed.ts';
import { ReplayFeed } from './feeds/replay-feed.ts';

/** What the dashboard needs of the machine. */
export interface DashboardMachine {
  readonly clock: Clock;
  readonly output: NodeJS.WriteStream;
  readonly input: NodeJS.ReadStream;
  /** Stops this process, as a shell expects of ctrl-z, until it is continued. */
  stopProcess(): Promise<void>;
}

/** Two redraws between two looks would show nothing new; keys are drawn at once all the same. */
const framesPerSecondMax = 20;
const stopMsMax = 500;

/**
 * Takes the terminal, and gives it back: when somebody quits, when the signal is aborted, and when
 * drawing fails, which is thrown after the terminal is as it was.
 */
export async function showDashboard(
  { source, look: theme, signal }: DashboardRequest,
  machine: DashboardMachine,
): Promise<void> {
  const { feed, act } = feedOf(source, machine.clock);
  let suspend = () => {};
  const ended = Promise.withResolvers<void>();
  const dashboard = new Dashboard({
    feed,
    act,
    isSpoken: theme.spoken,
    quit: () => ended.resolve(),
    suspend: () => suspend(),
  });
  const app = (
    <App
      dashboard={dashboard}
      theme={theme}
      stopProcess={() => machine.stopProcess()}
      onSuspendable={(given) => {
        suspend = given;
      }}
    />
  );
  const instance = render(app, {
    stdout: machine.output,
    stdin: machine.input,
    exitOnCtrlC: false,
    patchConsole: false,
    // Ink would draw nothing where it believes to be in CI; this is a terminal, or we were not here.
    interactive: true,
    alternateScreen: !theme.spoken,
    incrementalRendering: true,
    isScreenReaderEnabled: theme.spoken,
    maxFps: framesPerSecondMax,
  });
  const quit = () => ended.resolve();
  signal.addEventListener('abort', quit, { once: true });
  if (signal.aborted) quit();
  instance.waitUntilExit().then(quit, ended.reject);
  dashboard.start();
  try {
    await ended.promise;
  } finally {
    signal.removeEventListener('abort', quit);
    instance.unmount();
    await instance.waitUntilExit().catch(() => {});
    // Without a broker, leaving a document waits for it; whoever quits does not.
    await Promise.race([feed.stop(), sleep(machine.clock, stopMsMax)]);
  }
}

type Act = ((action: ClusterAction) => Promise<string>) | null;

/** What was done from here is part of what happened. */
function feedOf(source: LiveSource | ReplaySource, clock: Clock): { feed: Feed; act: Act } {
  if (source.kind === 'replay') return { feed: new ReplayFeed({ ...source, clock }), act: null };
  const feed = new LiveFeed({ ...source, clock });
  const { act } = source;
  if (act === null) return { feed, act };
  const told: Act = async (action) => {
    const text = await act(action);
    feed.tell('info', text);
    return text;
  };
  return { feed, act: told };
}
