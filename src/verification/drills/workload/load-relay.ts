import { joinWorkspace, type WorkspaceHandle } from '../../../client/join-workspace.ts';
import {
  type DaemonHandle,
  serveWorkspace,
  type WorkspaceBrowser,
} from '../../../client/serve-workspace.ts';
import { asBackplaneError } from '../../../foundation/errors.ts';
import { type Clock, repeat, sleep, type Timer } from '../../../ports/clock.ts';
import type { EventOf } from '../../history-event.ts';
import type { HistoryRecorder } from '../history-recorder.ts';
import { rotated } from './claim-documents.ts';

export interface LoadRelayParts {
  readonly workspace: string;
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly recorder: Pick<HistoryRecorder, 'record'>;
  readonly clock: Clock;
}

const sendEveryMs = 100;
/** More than this without an answer, and the next frames are left out. */
const pendingMax = 200;
const reconnectMsMax = 1_000;
const endMsMax = 30_000;

/**
 * A workspace over the nodes of a drill: a daemon, a browser at each node, and frames both ways all
 * the time. Each frame says who sent it, so that whoever gets it can tell.
 */
export class LoadRelay {
  readonly #parts: LoadRelayParts;
  readonly #counts = new Map<string, number>();
  readonly #daemon: DaemonHandle;
  readonly #browsers: readonly WorkspaceHandle[];
  #timer: Timer | null = null;
  #underWay = 0;

  constructor(parts: LoadRelayParts) {
    this.#parts = parts;
    const { workspace, token, clock, urls } = parts;
    const shared = { workspace, token, clock, reconnectMsMax };
    this.#daemon = serveWorkspace({
      ...shared,
      // The last node first: browsers begin with each of the others.
      urls: urls.toReversed(),
      onFrame: (frame, browser) => {
        const sender = this.#heard('daemon', frame);
        if (this.#timer !== null) this.#send(`daemon>${sender}`, browser);
      },
    });
    this.#browsers = urls.map((_, at) =>
      joinWorkspace({
        ...shared,
        urls: rotated(urls, at),
        onFrame: (frame) => void this.#heard(`browser-${at + 1}`, frame),
      }),
    );
  }

  start(): void {
    this.#timer = repeat(
      this.#parts.clock,
      () => sendEveryMs,
      () => {
        for (const [at, browser] of this.#browsers.entries()) {
          if (browser.pending < pendingMax) this.#send(`browser-${at + 1}`, browser);
        }
      },
    );
  }

  /** Sends nothing new, and waits for the news of what is under way. Twice is once. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    const { clock } = this.#parts;
    const untilMs = clock.monotonicMs() + endMsMax;
    while (this.#underWay > 0 && clock.monotonicMs() < untilMs) await sleep(clock, 20);
    await Promise.all([this.#daemon, ...this.#browsers].map((handle) => handle.close()));
  }

  #send(sender: string, to: Pick<WorkspaceBrowser, 'send'>): void {
    const frame = (this.#counts.get(sender) ?? 0) + 1;
    this.#counts.set(sender, frame);
    const { recorder, workspace } = this.#parts;
    recorder.record({ ev: 'relay.send', workspace, sender, frame });
    this.#underWay += 1;
    const ended = (outcome: EventOf<'relay.end'>['outcome']) => {
      this.#underWay -= 1;
      recorder.record({ ev: 'relay.end', workspace, sender, frame, outcome });
    };
    to.send(new TextEncoder().encode(`${sender}:${frame}`)).then(
      () => ended('taken'),
      (thrown) => {
        const { certainty } = asBackplaneError(thrown);
        ended(certainty === 'definite' ? 'unsent' : 'lost');
      },
    );
  }

  /** Answers who sent it. */
  #heard(receiver: string, bytes: Uint8Array): string {
    const [sender = '', frame] = new TextDecoder().decode(bytes).split(':');
    const { recorder, workspace } = this.#parts;
    const heard = { workspace, sender, frame: Number(frame), receiver };
    recorder.record({ ev: 'relay.deliver', ...heard });
    return sender;
  }
}
