import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

const names = ['valkey-server', 'redis-server'] as const;
const versionMin = { major: 6, minor: 2 };
const versionTimeoutMs = 2_000;

export interface FoundServer {
  readonly name: (typeof names)[number];
  readonly path: string;
}

/** The installed server to use, Valkey before Redis; one too old for us is passed over. */
export async function findServer(searchPath: string): Promise<FoundServer | null> {
  // A relative entry would run whatever lies in the folder one happens to stand in.
  const folders = searchPath.split(delimiter).filter((folder) => isAbsolute(folder));
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      if ((await isExecutable(path)) && (await isRecent(path))) return { name, path };
    }
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function isRecent(path: string): Promise<boolean> {
  try {
    const options = { timeout: versionTimeoutMs, env: {} };
    const { stdout } = await promisify(execFile)(path, ['--version'], options);
    const match = /v=(\d+)\.(\d+)/.exec(stdout);
    const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
    return major > versionMin.major || (major === versionMin.major && minor >= versionMin.minor);
  } catch {
    return false;
  }
}
