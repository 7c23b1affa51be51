import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { BackplaneError } from '../foundation/errors.ts';
import { type PulseEvent, pulseEvents } from '../operations/watch/pulse-events.ts';
import {
  type RecordedPulses,
  readRecordedPulse,
  readRecordingHeader,
  recordingHeader,
} from '../operations/watch/pulse-recording.ts';
import type { TrendPoint } from '../operations/watch/pulse-report.ts';
import type { RecordedLook } from '../operations/watch/recorder.ts';
import { safeJson } from './output/safe-json.ts';

/** Looks at a cluster, written down one line each as they come. */
export interface RecordingWriter {
  write(look: RecordedLook): void;
  close(): Promise<void>;
}

/** Begins a recording in a new file: one that exists is somebody's evidence. Throws USAGE. */
export async function startRecording(
  file: string,
  about: { readonly startedAt: string; readonly cluster: string },
  failed: (error: BackplaneError) => void,
): Promise<RecordingWriter> {
  const stream = createWriteStream(file, { flags: 'wx' });
  await opened(stream, file);
  stream.on('error', (cause) => failed(notWritten(file, cause)));
  const write = (value: object) => void stream.write(`${safeJson(value)}\n`);
  write(recordingHeader(about.startedAt, about.cluster));
  return {
    write,
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}

function opened(stream: WriteStream, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('open', () => resolve());
    stream.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') return reject(notWritten(file, cause));
      reject(
        new BackplaneError('USAGE', `"${file}" exists already`, { remedy: 'name a new file' }),
      );
    });
  });
}

function notWritten(file: string, cause: Error): BackplaneError {
  const message = `the recording "${file}" cannot be written: ${cause.message}`;
  return new BackplaneError('USAGE', message, { cause, remedy: 'name another file' });
}

interface Place {
  readonly offset: number;
  readonly length: number;
  /** The look nearest before, or this one, that has them; null when none has. */
  readonly documentsAt: number | null;
  readonly directoryAt: number | null;
}

/**
 * Opens a recording: reads it once for its curves and events, then each look when it is wanted, so
 * that a night of it fits in memory. A last line that was cut off is left out. Throws
 * RECORDING_INVALID.
 */
export async function openRecording(file: string): Promise<RecordedPulses> {
  const handle = await open(file, 'r').catch((cause: Error) => {
    throw new BackplaneError('RECORDING_INVALID', `cannot read "${file}": ${cause.message}`, {
      cause,
    });
  });
  try {
    const { cluster, places, trend, events } = await readThrough(file);
    if (places.length === 0) throw new BackplaneError('RECORDING_INVALID', `"${file}" is empty`);
    const look = async (at: number) =>
      readRecordedPulse(await readPlace(handle, places[at] as Place), at + 2);
    const read = async (at: number) => {
      const found = await look(at);
      const { documentsAt, directoryAt } = places[at] as Place;
      const documents = documentsAt === null ? null : (await look(documentsAt)).documents;
      const directory = directoryAt === null ? null : (await look(directoryAt)).directory;
      return { ...found, documents, directory };
    };
    return { cluster, trend, events, read, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readThrough(file: string) {
  const places: Place[] = [];
  const trend: TrendPoint[] = [];
  const events: PulseEvent[] = [];
  let before: RecordedLook | null = null;
  let cluster: string | null = null;
  let offset = 0;
  let number = 0;
  let broken: unknown = null;
  for await (const text of createInterface({ input: createReadStream(file) })) {
    // Only the last line can have been cut off: by a full disk, or a kill.
    if (broken !== null) throw broken;
    const length = Buffer.byteLength(text);
    number += 1;
    if (cluster === null) {
      cluster = readRecordingHeader(text).cluster;
    } else {
      try {
        const report = readRecordedPulse(text, number);
        const { documentsAt = null, directoryAt = null } = places.at(-1) ?? {};
        places.push({
          ...{ offset, length },
          documentsAt: report.documents ? places.length : documentsAt,
          directoryAt: report.directory ? places.length : directoryAt,
        });
        trend.push({ at: report.at, totals: report.totals });
        events.push(...pulseEvents(before, report));
        before = report;
      } catch (error) {
        broken = error;
      }
    }
    offset += length + 1;
  }
  if (cluster === null) throw new BackplaneError('RECORDING_INVALID', `"${file}" is empty`);
  return { cluster, places, trend, events };
}

async function readPlace(handle: FileHandle, { offset, length }: Place): Promise<string> {
  const buffer = Buffer.alloc(length);
  await handle.read(buffer, 0, length, offset);
  return buffer.toString('utf8');
}
