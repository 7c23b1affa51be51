import type { Clock } from '../../ports/clock.ts';
import type { WasmImports, WasmMemory } from './web-assembly.ts';

/** Thrown through the engine when it ends itself: `SHUTDOWN`, or a fatal error of its own. */
export class EngineExited extends Error {
  override name = 'EngineExited';
  readonly status: number;

  constructor(status: number) {
    super(`the engine ended itself with status ${status}`);
    this.status = status;
  }
}

export interface WasiHostOptions {
  readonly clock: Clock;
  readonly memory: () => WasmMemory;
  /** One line the engine wrote to its standard output or error. */
  readonly line: (text: string) => void;
}

// Of the numbers of WASI preview 1, those we answer with.
const success = 0;
const badDescriptor = 8;
const noEntry = 44;
const notSupported = 52;
const characterDevice = 2;
const lineLengthMax = 4_096;

/**
 * The little of WASI that Valkey needs: clocks, a log, and a refusal of everything else.
 *
 * Ours instead of `node:wasi`, because that one writes the engine's log to the standard output of
 * this process and a warning to its standard error, and takes its time from elsewhere.
 */
export function wasiHost(options: WasiHostOptions): WasmImports {
  const view = () => new DataView(options.memory().buffer);
  const refuse = () => notSupported;
  const isStandard = (descriptor: number) => descriptor >= 0 && descriptor <= 2;
  return {
    environ_sizes_get(countAt: number, bytesAt: number) {
      view().setUint32(countAt, 0, true);
      view().setUint32(bytesAt, 0, true);
      return success;
    },
    environ_get: () => success,
    clock_time_get(id: number, _precision: bigint, at: number) {
      const ms = id === 0 ? options.clock.wallMs() : options.clock.monotonicMs();
      view().setBigUint64(at, BigInt(Math.floor(ms * 1_000)) * 1_000n, true);
      return success;
    },
    fd_fdstat_get(descriptor: number, at: number) {
      if (!isStandard(descriptor)) return badDescriptor;
      const memory = view();
      for (let offset = 0; offset < 24; offset += 8) memory.setBigUint64(at + offset, 0n, true);
      memory.setUint8(at, characterDevice);
      return success;
    },
    fd_write: logWriter(options, view),
    fd_close: (descriptor: number) => (isStandard(descriptor) ? success : badDescriptor),
    // The first refusal ends the engine's search for folders: it has no files at all.
    fd_prestat_get: () => badDescriptor,
    fd_prestat_dir_name: () => badDescriptor,
    path_open: () => noEntry,
    path_filestat_get: () => noEntry,
    proc_exit(status: number) {
      throw new EngineExited(status);
    },
    sched_yield: () => success,
    fd_fdstat_set_flags: refuse,
    fd_filestat_get: refuse,
    fd_filestat_set_size: refuse,
    fd_pread: refuse,
    fd_read: refuse,
    fd_readdir: refuse,
    fd_renumber: refuse,
    fd_seek: refuse,
    fd_sync: refuse,
    path_create_directory: refuse,
    path_rename: refuse,
    path_unlink_file: refuse,
    poll_oneoff: refuse,
    sock_shutdown: refuse,
  };
}

function logWriter(options: WasiHostOptions, view: () => DataView) {
  const decoder = new TextDecoder();
  let rest = '';
  return (descriptor: number, vectorsAt: number, vectors: number, writtenAt: number) => {
    if (descriptor !== 1 && descriptor !== 2) return badDescriptor;
    const memory = view();
    let written = 0;
    for (let index = 0; index < vectors; index++) {
      const at = memory.getUint32(vectorsAt + index * 8, true);
      const length = memory.getUint32(vectorsAt + index * 8 + 4, true);
      rest += decoder.decode(new Uint8Array(memory.buffer, at, length));
      written += length;
    }
    memory.setUint32(writtenAt, written, true);
    const lines = rest.split('\n');
    rest = (lines.pop() ?? '').slice(0, lineLengthMax);
    for (const line of lines) if (line.trim() !== '') options.line(line.slice(0, lineLengthMax));
    return success;
  };
}
