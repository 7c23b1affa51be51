import { commandLine } from './command-line.ts';

export interface BackplaneRun {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs the real binary to its end, in a bare environment and without a terminal. */
export async function runBackplane(
  args: readonly string[],
  { environment = {}, input = '', timeoutMs = 20_000 }: RunOptions = {},
): Promise<BackplaneRun> {
  const line = commandLine(environment);
  const timer = setTimeout(() => void line.stop(), timeoutMs);
  const startedMs = performance.now();
  try {
    const { code, stdout, stderr } = await line.runWith(input, ...args);
    return { code, stdout, stderr, ms: performance.now() - startedMs };
  } finally {
    clearTimeout(timer);
  }
}
